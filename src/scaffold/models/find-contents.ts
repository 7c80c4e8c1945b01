import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { elementsOf, invalidModel, readXml } from "./core-data.ts";

/** Whether a path is that of a Core Data model, by its name. */
export function isModelPath(path: string): boolean {
  return /\.xcdatamodeld?\/?$/.test(path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return invalidModel(
      `${JSON.stringify(path)} can't be read: it is no model that Xcode 4 or later has written.`,
      error,
    );
  }
}

/** What `.xccurrentversion` names: a list of properties with one text. */
function currentVersion(path: string): string | undefined {
  const [dictionary] = elementsOf(readXml(readText(path), JSON.stringify(path)), "dict");
  return dictionary && elementsOf(dictionary, "string")[0]?.text;
}

/** The folder of the version that counts. */
function versionIn(path: string): string {
  const names = readdirSync(path);
  const versions = names.filter((name) => name.endsWith(".xcdatamodel"));
  const current = names.includes(".xccurrentversion") ? currentVersion(join(path, ".xccurrentversion")) : undefined;
  const [only] = versions;
  const version = current ?? (versions.length === 1 ? only : undefined);
  if (version === undefined) {
    return invalidModel(
      `${JSON.stringify(path)} has ${versions.length} versions, and no .xccurrentversion that says which counts.`,
    );
  }
  if (!versions.includes(version)) invalidModel(`${JSON.stringify(path)} has no version ${JSON.stringify(version)}.`);
  return join(path, version);
}

/**
 * The text of a Core Data model: of an `.xcdatamodel`, or of the current version in an `.xcdatamodeld`.
 *
 * @throws RocketError `model-invalid`
 */
export function readContents(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    return invalidModel(`There is no folder ${JSON.stringify(path)}.`);
  const folder = basename(path).endsWith("d") ? versionIn(path) : path;
  return readText(join(folder, "contents"));
}
