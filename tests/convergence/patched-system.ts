import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

/**
 * Copies layers of dist to a folder of their own and patches them there.
 *
 * @returns the copy's folder
 * @throws Error where `find` is not there exactly once, so that a defect can't come to nothing unseen
 */
export function copyPatched(name: string, layers: readonly string[], patch?: Patch): string {
  const folder = join(dist, ".defects", `${name}-${process.pid}`);
  rmSync(folder, { recursive: true, force: true });
  for (const layer of layers) {
    const from = join(dist, layer);
    if (!existsSync(from)) throw new Error(`dist/${layer} is not built.`);
    cpSync(from, join(folder, layer), { recursive: true, filter: (path) => !path.endsWith(".d.ts") });
  }
  if (patch) {
    const path = join(folder, patch.file);
    const text = readFileSync(path, "utf8");
    const times = text.split(patch.find).length - 1;
    if (times !== 1) {
      throw new Error(`${patch.file} has ${times} places, not one, that read\n${patch.find}`);
    }
    writeFileSync(
      path,
      text.replace(patch.find, () => patch.replace),
    );
  }
  return folder;
}

/** Removes a copy. */
export function removeCopy(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
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
