import type { SqlValue } from "../sqlite/schema.ts";
import { exactNumber, isNumeral } from "./decimal.ts";
import { formatJson, JsonNumber } from "./json.ts";
import { decodeBase64, encodeBase64, type ValueType } from "./value-kind.ts";

function encodeNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  // JSON has no infinity, but a numeral beyond all doubles is read as one.
  return value > 0 ? "1e999" : "-1e999";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A stored value as JSON text. */
export function encodeJsonValue(type: ValueType, value: SqlValue): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string":
      return type.kind === "json" && isJson(value) ? value : JSON.stringify(value);
    case "bigint":
      return type.kind === "json" ? String(value) : `"${value}"`;
    case "number":
      if (type.kind === "boolean" && (value === 0 || value === 1)) return value === 1 ? "true" : "false";
      return encodeNumber(value);
    default:
      return `"${encodeBase64(value)}"`;
  }
}

/** What a member of a body becomes when it is stored, or what is wrong with it. */
export type DecodedValue = { readonly value: SqlValue } | { readonly detail: string };

const lossy = "Digits of this number would be lost: this column can't hold it.";

function decodeNumber({ affinity }: ValueType, text: string): DecodedValue {
  if (affinity === "text") return { value: text };
  // Without a type, what a double is shown as is that double, and all else an integer.
  const isDouble = affinity === "real" || (affinity === "blob" && String(Number(text)) === text);
  const value = exactNumber(text, !isDouble);
  if (value === undefined) return { detail: lossy };
  return { value };
}

function decodeString(type: ValueType, text: string): DecodedValue {
  if (type.kind === "base64") {
    const bytes = decodeBase64(text);
    return bytes ? { value: bytes } : { detail: "Bytes are sent as a base64 text with its padding." };
  }
  if (!type.numbersOnly) return { value: text };
  if (!isNumeral(text)) return { detail: "This is no number." };
  return exactNumber(text, type.affinity !== "real") === undefined ? { detail: lossy } : { value: text };
}

/** What a merge with a stored value made may be nested as deep as that: another program may have written it. */
function encodeJson(json: unknown): DecodedValue {
  try {
    return { value: formatJson(json) };
  } catch {
    return { detail: "With what is stored, this is nested too deeply." };
  }
}

/** Turns a member of a JSON body into what is stored. */
export function decodeJsonValue(type: ValueType, json: unknown): DecodedValue {
  if (json === null) return { value: null };
  const number = typeof json === "number" ? String(json) : json instanceof JsonNumber ? json.text : undefined;
  // A column for JSON whose type SQLite takes for a number's turns a text that is one into it.
  const isKept = type.affinity === "text" || type.affinity === "blob";
  if (type.kind === "json" && (number === undefined || isKept)) return encodeJson(json);
  if (number !== undefined) return decodeNumber(type, number);
  switch (typeof json) {
    case "string":
      return decodeString(type, json);
    case "boolean":
      if (type.kind === "boolean") return { value: json ? 1 : 0 };
      return { detail: "This is not a BOOLEAN; send 1 or 0." };
    default:
      return { detail: "An object or array is for a JSON column only." };
  }
}
