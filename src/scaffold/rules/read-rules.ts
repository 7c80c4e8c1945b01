import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Rules } from "./rules.ts";

function pathOf(place: string | URL): string {
  const isUrl = place instanceof URL || place.startsWith("file:");
  return isUrl ? fileURLToPath(place) : resolve(place);
}

async function importRules(path: string): Promise<unknown> {
  const module = (await import(pathToFileURL(path).href)) as { readonly default?: unknown };
  if (module.default === undefined) throw new TypeError(`rules: ${JSON.stringify(path)} has no default export.`);
  return module.default;
}

/**
 * Reads what the option `rules` names.
 *
 * @throws TypeError where that can't be read
 */
export async function readRules(rules: Rules | string | URL): Promise<unknown> {
  if (typeof rules !== "string" && !(rules instanceof URL)) return rules;
  const path = pathOf(rules);
  try {
    return /\.[cm]?[jt]s$/.test(path) ? await importRules(path) : JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    if (error instanceof TypeError && error.message.startsWith("rules: ")) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`rules: ${JSON.stringify(path)} can't be read: ${reason}`, { cause: error });
  }
}
