import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { lineOf, root, type TextFile } from "./project.ts";

/** A fenced block of a document. */
export interface Fence {
  readonly language: string;
  /** The line of its first line of code. */
  readonly line: number;
  readonly code: string;
}

/** The fenced blocks of a Markdown text. */
export function fencesOf(text: string): Fence[] {
  return [...text.matchAll(/^( *)(`{3,}|~{3,})([^\n`]*)\n([\s\S]*?)^\1\2[ \t]*$/gm)].map((match) => ({
    language: (match[3] ?? "").trim(),
    line: lineOf(text, match.index) + 1,
    code: match[4] ?? "",
  }));
}

/** Code in another spelling than `ts` or `tsx` would go unchecked. */
export function fenceViolations(documents: readonly TextFile[]): string[] {
  return documents.flatMap(({ path, text }) =>
    fencesOf(text)
      .filter(({ language }) => /^(?:js|jsx|mjs|javascript|typescript|tsx?\W.*)$/i.test(language))
      .map(({ line, language }) => `${path}:${line} is ${language}: write ts or tsx, so that it is checked`),
  );
}

/** Relative links that lead to no file. */
export function linkViolations(documents: readonly TextFile[], exists: (path: string) => boolean): string[] {
  return documents.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?![a-z]+:|#)([^)\s#]+)[^)]*\)/g)]
      .filter((match) => !exists(posix.normalize(posix.join(posix.dirname(path), match[1] ?? ""))))
      .map((match) => `${path}:${lineOf(text, match.index)} links to ${match[1]}, which is not there`),
  );
}

const compilerOptions = {
  target: "es2023",
  module: "nodenext",
  lib: ["es2023", "dom", "dom.iterable"],
  types: ["node"],
  jsx: "react-jsx",
  strict: true,
  exactOptionalPropertyTypes: true,
  moduleDetection: "force",
  skipLibCheck: true,
  noEmit: true,
};

/**
 * Type-checks the `ts` and `tsx` blocks of documents against the built package and gives the compiler's messages with the
 * document's own lines. Each block stands alone, as a module of a user's project.
 *
 * @param folder - where to put the blocks, from the root: a folder below dist, so that `rocket-rest/…` means this package
 */
export async function typeCheckFences(documents: readonly TextFile[], folder: string): Promise<string[]> {
  const place = join(root, folder);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const { path, text } of documents) {
    for (const { line, code, language } of fencesOf(text).filter(({ language }) => /^tsx?$/.test(language))) {
      const name = `${path.replaceAll("/", "@")}@${line}.${language}`;
      writeFileSync(join(place, name), "\n".repeat(line - 1) + code);
    }
  }
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts", "*.tsx"] }));
  writeFileSync(join(place, "none.ts"), "");
  const output = await compile(place);
  return output
    .split("\n")
    .filter((line) => line.includes("error TS"))
    .map((line) =>
      line.replace(/^.*?([^/\\]+)@\d+\.tsx?\((\d+),\d+\)/, (_, name, at) => `${name.replaceAll("@", "/")}:${at}`),
    );
}

/** Runs the compiler in a folder with a `tsconfig.json`. Gives what it says. */
export function compile(place: string): Promise<string> {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [compiler, "-p", place, "--pretty", "false"], { cwd: root }, (error, stdout, stderr) => {
      if (error && !stdout.includes("error TS")) reject(new Error(`tsc did not run: ${stderr || error.message}`));
      else resolve(stdout);
    });
  });
}

/** Layers that a document's map leaves out, or shows although they are not there. */
export function layerMapViolations(page: TextFile, layers: readonly string[]): string[] {
  const shown = new Set([...page.text.matchAll(/\bsrc\/([a-z-]+)\//g)].map((match) => match[1] ?? ""));
  return [
    ...layers.filter((layer) => !shown.has(layer)).map((layer) => `${page.path} does not show src/${layer}/`),
    ...[...shown]
      .filter((layer) => !layers.includes(layer))
      .map((layer) => `${page.path} shows src/${layer}/, which is not there`),
  ];
}

/** True where a path of the project exists. */
export function projectHas(path: string): boolean {
  return existsSync(join(root, path));
}
