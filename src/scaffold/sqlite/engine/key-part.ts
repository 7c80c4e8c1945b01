import { encodeUrlPart } from "../../../protocol/index.ts";
import { decodeBase64, encodeBase64 } from "../../json/base64.ts";
import { decodePart } from "../../rest/target.ts";
import { brokenBytes, isBrokenText, textOfBytes } from "../broken-text.ts";
import type { SqlValue } from "../schema.ts";
import { canonicalValue, isConverted, type StoredType } from "./value-kind.ts";
import { formatValue, isNumeralText, parseNumber, type Resolved, resolvePart, resolveText } from "./value-text.ts";

/** Before a part of a key whose plain text would mean a value of another sort: a text that looks like a number, for one. */
const mark = /^(text|rawtext|bytes|number|null)=(.*)$/s;

/** Whether two values of a key are the same: of one sort, and equal to the byte. */
export function isSameKey(a: SqlValue, b: SqlValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return canonicalValue(a) === canonicalValue(b);
}

/** Whether a value can be asked for by its plain text: that means this value, and no other. */
function isPlain(type: StoredType, text: string, value: SqlValue): boolean {
  const isCut = typeof value === "string" && isConverted(type) && value.includes("\0");
  return !isCut && isSameKey(resolveText(type, text), value);
}

/** Whether a column can hold a value as it is: SQLite makes some into values of another sort as they are stored. */
function canHold(type: StoredType, value: SqlValue): boolean {
  if (typeof value === "string") return !isConverted(type) || !isNumeralText(value);
  return value instanceof Uint8Array || type.affinity !== "text";
}

/** A key's part as it stands in a URL: `7`, and `text=7` where `7` is a number's. No two values have the same. */
export function formatKeyPart(type: StoredType, stored: SqlValue): string {
  const value = canonicalValue(stored);
  // Only where columns hide all names of the rowid: it is equal to nothing, so that it is never there.
  if (value === null) return "null=";
  const broken = brokenBytes(value);
  if (broken) return `rawtext=${encodeUrlPart(encodeBase64(broken))}`;
  const text = formatValue(type, value);
  if (isPlain(type, text, value)) return encodeUrlPart(text);
  if (value instanceof Uint8Array) return `bytes=${encodeUrlPart(encodeBase64(value))}`;
  return `${typeof value === "string" ? "text" : "number"}=${encodeUrlPart(String(value))}`;
}

/** What a marked part means; `undefined` where it has no mark, or one that no value of the column has. */
function parseMarked(type: StoredType, part: string): SqlValue | undefined {
  const [, sort, sent = ""] = mark.exec(part) ?? [];
  if (sort === undefined) return undefined;
  const text = decodePart(sent);
  if (sort === "null") return text === "" ? null : undefined;
  if (sort === "rawtext") {
    const raw = textOfBytes(decodeBase64(text) ?? new Uint8Array());
    return isBrokenText(raw) ? raw : undefined;
  }
  const value = sort === "text" ? text : sort === "bytes" ? decodeBase64(text) : parseNumber(text, true);
  if (value === undefined || !canHold(type, value)) return undefined;
  return isPlain(type, formatValue(type, value), value) ? undefined : value;
}

/**
 * The value that a key's part means, as it was sent. It is what {@link formatKeyPart} made the part of.
 *
 * @throws Refusal 400 where it is malformed
 */
export function parseKeyPart(type: StoredType, part: string): Resolved {
  const marked = parseMarked(type, part);
  return marked === undefined ? resolvePart(type, decodePart(part)) : { value: marked };
}
