/** A requirement that a text names, and where. */
export interface Citation {
  readonly id: string;
  readonly path: string;
}

/** The ids that a specification defines, in order: those in square brackets at the start of a paragraph. */
export function definedIds(specification: string): string[] {
  return [...specification.matchAll(/^\*\*\[(R-[A-Z0-9]+-[0-9]+)\]\*\*/gm)].map(([, id = ""]) => id);
}

/** The ids that a specification names anywhere. */
export function namedIds(specification: string): string[] {
  return [...specification.matchAll(/\bR-[A-Z0-9]+-[0-9]+\b/g)].map(([id]) => id);
}

/** The ids that a file cites: in square brackets in code, as `requirement` in data. */
export function citationsIn(path: string, text: string): Citation[] {
  const pattern = path.endsWith(".json") ? /"requirement": "(R-[A-Z0-9]+-[0-9]+)"/g : /\[(R-[A-Z0-9]+-[0-9]+)\]/g;
  return [...text.matchAll(pattern)].map(([, id = ""]) => ({ id, path }));
}

/** What is wrong with how requirements are cited; each complaint is a sentence. */
export function requirementViolations(
  defined: readonly string[],
  cited: readonly Citation[],
  gaps: Readonly<Record<string, string>>,
  waiting: Readonly<Record<string, string>>,
): string[] {
  const known = new Set(defined);
  const tested = new Set(cited.map(({ id }) => id));
  const excused = { ...gaps, ...waiting };
  return [
    ...defined.filter((id, index) => defined.indexOf(id) !== index).map((id) => `${id} is defined twice`),
    ...cited.filter(({ id }) => !known.has(id)).map(({ id, path }) => `${path} cites ${id}, which is not defined`),
    ...Object.keys(excused)
      .filter((id) => !known.has(id))
      .map((id) => `the gap ${id} is not defined`),
    ...Object.entries(excused)
      .filter(([, reason]) => reason.trim().length < 10)
      .map(([id]) => `the gap ${id} has no reason`),
    ...Object.keys(gaps)
      .filter((id) => tested.has(id))
      .map((id) => `the gap ${id} is cited, so it is none`),
    ...defined.filter((id) => !tested.has(id) && excused[id] === undefined).map((id) => `no test cites ${id}`),
  ];
}
