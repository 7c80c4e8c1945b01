/** How a value and a literal can stand to each other. Where either is NULL, that is unknown. */
export type Relation = "eq" | "neq" | "gt" | "gte" | "lt" | "lte";

/**
 * Tests that only a database can make: of arrays, ranges and JSON (`cs` contains, `cd` is contained, `ov` overlaps), of
 * ranges (`sl` left of, `sr` right of, `nxr` not beyond the right end, `nxl` not beyond the left end, `adj` next to), of full
 * texts (`fts plfts phfts wfts`) and of regular expressions.
 */
export type TestOperator =
  | "cs"
  | "cd"
  | "ov"
  | "sl"
  | "sr"
  | "nxl"
  | "nxr"
  | "adj"
  | "match"
  | "imatch"
  | "fts"
  | "plfts"
  | "phfts"
  | "wfts";

const tests: ReadonlySet<string> = new Set<TestOperator>([
  ...(["cs", "cd", "ov", "sl", "sr", "nxl", "nxr", "adj"] as const),
  ...(["match", "imatch", "fts", "plfts", "phfts", "wfts"] as const),
]);

const relations: ReadonlySet<string> = new Set<Relation>(["eq", "neq", "gt", "gte", "lt", "lte"]);

/** Whether an operator compares with a literal. */
export function isRelation(name: string): name is Relation {
  return relations.has(name);
}

/** Whether an operator is one that only a database can carry out. */
export function isTest(name: string): name is TestOperator {
  return tests.has(name);
}

/** Whether there is an operator of that name. */
export function isOperator(name: string): boolean {
  return isRelation(name) || isTest(name) || ["like", "ilike", "in", "is", "isdistinct"].includes(name);
}

/** Whether an operator is a search in a full text: it may have a configuration, as `fts(english)`. */
export function isSearch(name: string): boolean {
  return name.endsWith("fts");
}

/** Whether an operator may be asked of any of some values, or of all of them. */
export function isQuantified(name: string): boolean {
  return (
    name === "like" || name === "ilike" || name === "match" || name === "imatch" || (isRelation(name) && name !== "neq")
  );
}

/** What makes a value more than a text to be equal to. */
export const startsWithOperator: RegExp =
  /^(?:eq|neq|gte?|lte?|i?like|i?match|in|is|isdistinct|not|cs|cd|ov|sl|sr|nxl|nxr|adj|(?:pl|ph|w)?fts)(?:\([^()]{1,63}\))?\./;
