import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { SqlSystem } from "./sql-world.ts";
import type { System } from "./world.ts";

/** A change of one compiled file: `find` must be there exactly once. */
export interface Patch {
  /** Below dist: `server/hub.js`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

function apply(folder: string, { file, find, replace }: Patch): void {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  const times = text.split(find).length - 1;
  if (times !== 1) throw new Error(`${file} has ${times} places, not one, that read\n${find}`);
  writeFileSync(
    path,
    text.replace(find, () => replace),
  );
}

/**
 * Copies layers of dist to a folder of their own and patches them there.
 *
 * @returns the copy's folder
 * @throws Error where `find` is not there exactly once, so that a defect can't come to nothing unseen
 */
export function copyPatched(name: string, layers: readonly string[], patch?: Patch): string {
  // Below a node_modules the test runner leaves files to Node, which loads them far faster.
  const folder = join(dist, ".defects", `${name}-${process.pid}`, "node_modules", "rocket");
  removeCopy(folder);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const layer of layers) {
    const from = join(dist, layer);
    if (!existsSync(from)) throw new Error(`dist/${layer} is not built.`);
    cpSync(from, join(folder, layer), { recursive: true, filter: (path) => !path.endsWith(".d.ts") });
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
