import { JsonNumber, NestingError } from "./json-reader.ts";
import { maxNesting } from "./nesting.ts";

/** Whether a JSON value has members. */
export function isJsonObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber);
}

function format(json: unknown, depth: number): string {
  if (json instanceof JsonNumber) return json.text;
  if (typeof json === "number") return String(json);
  if (typeof json !== "object" || json === null) return JSON.stringify(json);
  if (depth === maxNesting) throw new NestingError(`This is nested more than ${maxNesting} levels deep.`);
  let text = "";
  if (Array.isArray(json)) {
    for (const item of json) text += `${text === "" ? "" : ","}${format(item, depth + 1)}`;
    return `[${text}]`;
  }
  for (const [name, value] of Object.entries(json)) {
    text += `${text === "" ? "" : ","}${JSON.stringify(name)}:${format(value, depth + 1)}`;
  }
  return `{${text}}`;
}

/**
 * Writes what `parseJson` has read, each number as it was.
 *
 * @throws NestingError where it is nested deeper than a value may be
 */
export function formatJson(json: unknown): string {
  return format(json, 0);
}

/** A JSON merge patch (RFC 7396) applied to a value. It goes as deep as the patch, which a body has brought. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map<string, unknown>(isJsonObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, mergePatch(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}
