import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { type Masked, mask } from "./mask.ts";

/** A file with its path from the project's root, written with slashes. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** A source file and its code without comments and strings. */
export interface Source extends TextFile, Masked {}

/** The project's folder. */
export const root: string = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

const ignoredFolders = new Set(["node_modules", "dist", ".git", "coverage"]);
const ignoredFiles = /\.(?:db(?:-wal|-shm|-journal)?|tsbuildinfo|tgz)$|^\.report/;

/** Where the example keeps its PostgreSQL, once that has run. */
const ignoredPath = "examples/music/postgres";

/** The paths of all files below `folder` that belong to the project. */
export function listFiles(folder = ""): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!ignoredFolders.has(entry.name) && path !== ignoredPath) found.push(...listFiles(path));
    } else if (entry.isFile() && !ignoredFiles.test(entry.name)) found.push(path);
  }
  return found.sort();
}

/** Reads a file of the project as UTF-8. */
export function readText(path: string): TextFile {
  return { path: relative(root, join(root, path)).split(sep).join("/"), text: readFileSync(join(root, path), "utf8") };
}

/** A source made of a path and a text: what rules look at, and what their own tests make up. */
export function source(path: string, text: string): Source {
  return { path, text, ...mask(text) };
}

/** All TypeScript sources below src. */
export function readSources(): Source[] {
  return listFiles("src")
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => source(path, readText(path).text));
}

/** `path:line` of a place in a text. */
export function placeOf(file: TextFile, index: number): string {
  return `${file.path}:${lineOf(file.text, index)}`;
}

/** The 1-based line of a place in a text. */
export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** The text's number of lines, as editors count them. */
export function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}
