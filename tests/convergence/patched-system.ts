import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { functionsNamed, type Span } from "./function-places.ts";
import type { SqlSystem } from "./sql-world.ts";
import type { System } from "./world.ts";

/** A change of one compiled function: a text that stands in it exactly once is replaced. */
export interface Patch {
  /** The function's name: `openView`, `CatchUp.add`, `CatchUp.#run`. Only one function of the layers may have it. */
  readonly in: string;
  /** What stands there, with whatever white space. */
  readonly find: string;
  readonly replace: string;
}

/** The same in a file of which the whole is looked through. */
export interface FilePatch {
  /** Below dist: `client/feed.js`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const src = fileURLToPath(new URL("../../src/", import.meta.url));
const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

function scripts(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[];
  return names.filter((name) => name.endsWith(".js")).map((name) => join(folder, name));
}

/** Where the function stands, in which file. */
function placeOf(folder: string, name: string): { readonly path: string } & Span {
  const word = name.split(".").at(-1) ?? name;
  const found = scripts(folder).flatMap((path) => {
    const text = readFileSync(path, "utf8");
    return text.includes(word) ? functionsNamed(text, name).map((span) => ({ path, ...span })) : [];
  });
  const [only] = found;
  if (!only || found.length > 1) throw new Error(`There are ${found.length} functions, not one, of the name ${name}.`);
  return only;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

/** What a patch replaces. */
interface Place {
  readonly path: string;
  readonly text: string;
  readonly at: number;
  readonly length: number;
}

/**
 * Where a patch has something to replace, in a copy.
 *
 * @throws Error where `find` is not there exactly once
 */
export function findPlace(folder: string, patch: Patch | FilePatch): Place {
  const { find } = patch;
  const path = "in" in patch ? placeOf(folder, patch.in).path : join(folder, patch.file);
  const text = readFileSync(path, "utf8");
  const { start, end } = "in" in patch ? placeOf(folder, patch.in) : { start: 0, end: text.length };
  const pattern = new RegExp(find.trim().split(/\s+/).map(escapePattern).join("\\s+"), "g");
  const places = [...text.slice(start, end).matchAll(pattern)];
  const [only] = places;
  if (!only || places.length > 1) {
    throw new Error(
      `${"in" in patch ? patch.in : patch.file} has ${places.length} places, not one, that read\n${find}`,
    );
  }
  return { path, text, at: start + only.index, length: only[0].length };
}

function apply(folder: string, patch: Patch | FilePatch): void {
  const { path, text, at, length } = findPlace(folder, patch);
  writeFileSync(path, text.slice(0, at) + patch.replace + text.slice(at + length));
}

/** True for what the sources make: dist also keeps what was made of files that are gone. */
function isBuilt(path: string): boolean {
  const source = join(src, relative(dist, path).replace(/\.js$/, ".ts"));
  return !/\.(?:d\.ts|map)$/.test(path) && existsSync(source);
}

/**
 * Copies layers of dist to a folder of their own and patches them there.
 *
 * @returns the copy's folder
 * @throws Error where `find` is not there exactly once, so that a defect can't come to nothing unseen
 */
export function copyPatched(name: string, layers: readonly string[], patch?: Patch | FilePatch): string {
  // Below a node_modules the test runner leaves files to Node, which loads them far faster.
  const folder = join(dist, ".defects", `${name}-${process.pid}`, "node_modules", "rocket");
  removeCopy(folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const layer of layers) {
    const from = join(dist, layer);
    if (!existsSync(from)) throw new Error(`dist/${layer} is not built.`);
    cpSync(from, join(folder, layer), { recursive: true, filter: isBuilt });
  }
  try {
    if (patch) apply(folder, patch);
  } catch (error) {
    removeCopy(folder);
    throw error;
  }
  return folder;
}

/** Removes a copy. */
export function removeCopy(folder: string): void {
  rmSync(join(folder, "..", ".."), { recursive: true, force: true });
}

async function loadLayers(folder: string, layers: readonly string[]): Promise<object> {
  const faces = layers.map((layer): Promise<object> => import(pathToFileURL(join(folder, layer, "index.js")).href));
  return Object.assign({}, ...(await Promise.all(faces)));
}

/** The hub, store, clock and peers of a copy. */
export async function loadSystem(folder: string): Promise<System> {
  return (await loadLayers(folder, ["server", "testing"])) as System;
}

/** The same, and its scaffold. */
export async function loadSqlSystem(folder: string): Promise<SqlSystem> {
  return (await loadLayers(folder, ["server", "testing", "scaffold"])) as SqlSystem;
}
