import type { Source, TextFile } from "./project.ts";

/** The codes in the rows of the page's table. */
function documentedCodes(page: TextFile): string[] {
  return [...page.text.matchAll(/^\|\s*`([^`]+)`\s*\|/gm)].map((match) => match[1] ?? "");
}

/** Codes with which some source makes a RocketError. */
function thrownCodes(files: readonly Source[]): string[] {
  return files.flatMap((file) =>
    [...file.code.matchAll(/\bnew\s+RocketError\(\s*["']/g)].map((match) => {
      const start = match.index + match[0].length;
      return file.text.slice(start, file.text.slice(start).search(/["']/) + start);
    }),
  );
}

/** Codes without a row, rows without a code, codes that nothing throws. */
export function errorCodeViolations(codes: readonly string[], page: TextFile, files: readonly Source[]): string[] {
  const rows = documentedCodes(page);
  const thrown = thrownCodes(files);
  return [
    ...codes.filter((code) => !rows.includes(code)).map((code) => `${code} has no row in ${page.path}`),
    ...rows
      .filter((code) => !codes.includes(code))
      .map((code) => `${page.path} has a row for ${code}, which is no code`),
    ...rows.filter((code, at) => rows.indexOf(code) < at).map((code) => `${page.path} has two rows for ${code}`),
    ...codes.filter((code) => !thrown.includes(code)).map((code) => `${code} is thrown nowhere`),
  ];
}
