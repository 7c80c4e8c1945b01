import { findFunctions } from "./functions.ts";
import { lineCount, lineOf, placeOf, type Source } from "./project.ts";

const maxFileLines = 400;
const maxMedianLines = 120;
const maxFunctionLines = 60;
const maxHookLines = 80;
const maxClosureLets = 3;

/** Files of more lines than a file may have, and a median above what it may be. */
export function fileSizeViolations(files: readonly Source[]): string[] {
  const sizes = files.map((file) => lineCount(file.text)).sort((one, other) => one - other);
  const median = sizes[Math.floor(sizes.length / 2)] ?? 0;
  return [
    ...files
      .filter((file) => lineCount(file.text) > maxFileLines)
      .map((file) => `${file.path} has ${lineCount(file.text)} lines, more than ${maxFileLines}`),
    ...(median > maxMedianLines ? [`the median file has ${median} lines, more than ${maxMedianLines}`] : []),
  ];
}

/** Functions of more lines than a function may have. */
export function functionSizeViolations(files: readonly Source[]): string[] {
  return files.flatMap((file) =>
    findFunctions(file.code).flatMap(({ name, start, bodyEnd }) => {
      const lines = lineOf(file.code, bodyEnd) - lineOf(file.code, start) + 1;
      const most = /^use[A-Z]/.test(name) ? maxHookLines : maxFunctionLines;
      return lines > most ? [`${placeOf(file, start)} ${name}(…) has ${lines} lines, more than ${most}`] : [];
    }),
  );
}

/** Functions that share more `let`s with their inner functions than a closure may. */
export function closureViolations(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    const functions = findFunctions(file.code);
    return functions.flatMap(({ name, start, bodyStart, bodyEnd }) => {
      const inner = functions.filter((other) => other.bodyStart > bodyStart && other.bodyEnd < bodyEnd);
      const isInner = (index: number): boolean => inner.some((one) => index > one.bodyStart && index < one.bodyEnd);
      const body = file.code.slice(bodyStart, bodyEnd);
      const innerCode = inner.map((one) => file.code.slice(one.bodyStart, one.bodyEnd)).join("\n");
      const shared = [...body.matchAll(/\blet\s+([\w$]+)/g)]
        .filter((match) => !isInner(bodyStart + match.index))
        .filter((match) => new RegExp(`(?<![\\w$.])${escapeWord(match[1] ?? "")}(?![\\w$])`).test(innerCode));
      if (shared.length <= maxClosureLets) return [];
      return [`${placeOf(file, start)} ${name}(…) is a closure over ${shared.length} lets: make it a class`];
    });
  });
}

function escapeWord(word: string): string {
  return word.replaceAll("$", "\\$");
}

/** Exported declarations without TSDoc right before them, and names that are exported away from their declaration. */
export function docViolations(files: readonly Source[]): string[] {
  const declaration =
    /^export\s+(?:declare\s+|abstract\s+|async\s+)*(?:(?:const|let|var)\s+([\w$]+|[[{])|(?:function\*?|class|interface|type|enum)\s+([\w$]+))/gm;
  return files.flatMap((file) => {
    const documented = new Set<string>();
    const missing = [...file.code.matchAll(declaration)].flatMap((match) => {
      const name = match[1] ?? match[2] ?? "";
      if (hasDoc(file, match.index)) documented.add(name);
      return documented.has(name) ? [] : [`${placeOf(file, match.index)} ${name} has no TSDoc`];
    });
    const lists = [...file.code.matchAll(/^export\s+(?:type\s+)?\{[^}]*\w[^}]*\}(?!\s*from\b)/gm)].map(
      (match) => `${placeOf(file, match.index)} exports names away from their declarations`,
    );
    return [...missing, ...lists];
  });
}

function hasDoc(file: Source, index: number): boolean {
  const comment = file.comments.findLast(({ end }) => end <= index);
  if (comment === undefined || !/^\/\*\*[\s*]*[^\s*/]/.test(comment.text)) return false;
  return /^[ \t]*\r?\n?$/.test(file.text.slice(comment.end, index));
}
