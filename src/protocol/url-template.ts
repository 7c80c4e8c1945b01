import { ownMember } from "./own-member.ts";

const expression = /\{((?:[\w.]|%[0-9A-Fa-f]{2})+)\}|[{}]/g;

/**
 * A value as one part of a URL: everything but letters, digits, `-`, `.`, `_` and `~` is percent-encoded, as UTF-8
 * (RFC 6570 §3.2.2). Both ends make record URLs with it, so that they are equal byte for byte [R-FLD-4].
 */
export function encodeUrlPart(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd")).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Decodes percent-encoded text; `undefined` where it is no UTF-8. */
export function decodeUrlPart(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * Whether a value is a number that names a record. Of a long whole number nobody who reads JSON into doubles knows which
 * one was written: its URL might be another record's [R-FLD-4].
 */
export function isNumberKey(value: unknown): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  return Number.isSafeInteger(value) || !/^-?\d+$/.test(String(value));
}

/** The expression that stands for a member of the row in a URL template: `{id}`. Odd characters are percent-encoded. */
export function urlTemplateExpression(name: string): string {
  return `{${encodeUrlPart(name).replaceAll("-", "%2D").replaceAll("~", "%7E")}}`;
}

/** Whether values made a part of the path that no URL keeps: the URL would be another record's, or the collection's. */
function changesPath(template: string, url: string): boolean {
  const [path = ""] = url.split("?", 1);
  // A value brings no slash: the parts are the template's.
  const before = template.split("/");
  return path.split("/").some((part, at) => /^\.{0,2}$/.test(part) && part !== before[at]);
}

/**
 * Expands a URL template (RFC 6570 level 1: `{name}` only) over a row's members. `undefined` where the template is
 * malformed or a member is missing, `null` or not a string, number or boolean, or a whole number beyond 2^53; also where a part of the path came out
 * empty, as `.` or as `..`, which would be the URL of something else [R-FLD-4].
 */
export function expandUrlTemplate(template: string, row: unknown): string | undefined {
  let isWhole = true;
  const url = template.replace(expression, (_, name?: string) => {
    // Without a name it is a brace that is no part of an expression.
    const key = name && decodeUrlPart(name);
    const value = key && ownMember(row, key);
    if (/^(?:string|boolean|bigint)$/.test(typeof value) || isNumberKey(value)) return encodeUrlPart(String(value));
    isWhole = false;
    return "";
  });
  return isWhole && !changesPath(template, url) ? url : undefined;
}
