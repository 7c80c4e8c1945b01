import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { RocketError } from "../../protocol/index.ts";
import type { SqlFunction } from "./additions.ts";

/** The URL of a module that is given by its path or URL. */
export function moduleUrl(module: string | URL): string {
  return typeof module === "string" ? pathToFileURL(resolve(module)).href : module.href;
}

/**
 * The functions that a module exports.
 *
 * @throws RocketError `extension-failed`
 */
export async function importFunctions(url: string): Promise<Record<string, SqlFunction>> {
  try {
    const module = (await import(url)) as Record<string, unknown>;
    return Object.fromEntries(
      Object.entries(module).filter((entry): entry is [string, SqlFunction] => typeof entry[1] === "function"),
    );
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const name = JSON.stringify(url.startsWith("file:") ? fileURLToPath(url) : url);
    throw new RocketError("extension-failed", `functionsModule: ${name} can't be loaded: ${reason}`, { cause });
  }
}
