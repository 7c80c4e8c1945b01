import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Names } from "../engine/names.ts";
import { invalidModel } from "./core-data.ts";
import { namesOfDrizzle } from "./drizzle.ts";
import { namesOfPrisma } from "./prisma.ts";
import { parsePrisma } from "./prisma-text.ts";

const modulePattern = /\.[cm]?[jt]s$/;

function isPrismaPath(path: string): boolean {
  return path.endsWith(".prisma");
}

/** Whether a path is that of a Prisma schema, or of a module as Drizzle has them, by its name. */
export function isModelsPath(path: string): boolean {
  return isPrismaPath(path) || modulePattern.test(path);
}

function shown(path: string): string {
  return JSON.stringify(path);
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}

/** All files below a folder. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => !name.split(/[\\/]/).includes("node_modules"))
    .sort()
    .map((name) => join(folder, name));
}

function filesAt(path: string): string[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return invalidModel(`There is no ${shown(path)}.`);
  if (!stats.isDirectory()) return [path];
  const files = filesIn(path);
  const prisma = files.filter(isPrismaPath);
  return prisma.length > 0 ? prisma : files.filter((file) => modulePattern.test(file) && !file.endsWith(".d.ts"));
}

const noTypes =
  "this Node does not read TypeScript: Node 22.18 or later does (so does node --import tsx); or name what tsc made of it, as schema.js";

/** What a module exports. @throws RocketError `model-invalid` */
async function importModels(path: string): Promise<[string, unknown][]> {
  try {
    return Object.entries((await import(pathToFileURL(path).href)) as object);
  } catch (error) {
    const code = (error as { readonly code?: unknown }).code;
    const why = code === "ERR_UNKNOWN_FILE_EXTENSION" ? noTypes : reasonOf(error).replace(/\.$/, "");
    return invalidModel(`${shown(path)} can't be read as a Drizzle schema: ${why}.`, error);
  }
}

/**
 * What models call the tables, columns and relations of a database.
 *
 * @param place - a Prisma schema, a module that exports Drizzle's tables, or a folder of either
 * @throws RocketError `model-invalid`
 */
export async function readModels(place: string | URL): Promise<Names> {
  const isUrl = place instanceof URL || place.startsWith("file:");
  const path = isUrl ? fileURLToPath(place) : resolve(place);
  const files = filesAt(path);
  if (files.every(isPrismaPath) && files.length > 0) {
    return namesOfPrisma(files.flatMap((file) => parsePrisma(readFileSync(file, "utf8"), shown(file))));
  }
  if (!files.every((file) => modulePattern.test(file))) {
    return invalidModel(
      `${shown(path)} is neither a Prisma schema (schema.prisma) nor a module of Drizzle's (schema.ts, .js or .mjs).`,
    );
  }
  const exported: [string, unknown][] = [];
  for (const file of files) exported.push(...(await importModels(file)));
  return namesOfDrizzle(exported, shown(path));
}
