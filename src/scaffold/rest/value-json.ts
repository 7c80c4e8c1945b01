import type { SqlValue } from "../sqlite/schema.ts";
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
      return `"${value}"`;
    case "number":
      if (type.kind === "boolean" && (value === 0 || value === 1)) return value === 1 ? "true" : "false";
      return encodeNumber(value);
    default:
      return `"${encodeBase64(value)}"`;
  }
}

/** What a member of a body becomes when it is stored, or what is wrong with it. */
export type DecodedValue = { readonly value: SqlValue } | { readonly detail: string };

const lossy = "A number of this size loses digits on its way; send it as a string.";

function decodeNumber(type: ValueType, value: number): DecodedValue {
  const isLossy = Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 2 ** 63;
  const wantsExact = type.affinity === "integer" || type.affinity === "numeric";
  return isLossy && wantsExact ? { detail: lossy } : { value };
}

function decodeString(type: ValueType, text: string): DecodedValue {
  if (type.kind !== "base64") return { value: text };
  const bytes = decodeBase64(text);
  return bytes ? { value: bytes } : { detail: "Bytes are sent as a base64 text with its padding." };
}

/** What a merge with a stored value made may be nested as deep as that: another program may have written it. */
function encodeJson(json: unknown): DecodedValue {
  try {
    return { value: JSON.stringify(json) };
  } catch {
    return { detail: "With what is stored, this is nested too deeply." };
  }
}

/** Turns a member of a JSON body into what is stored. */
export function decodeJsonValue(type: ValueType, json: unknown): DecodedValue {
  if (json === null) return { value: null };
  if (type.kind === "json") return encodeJson(json);
  switch (typeof json) {
    case "string":
      return decodeString(type, json);
    case "number":
      return decodeNumber(type, json);
    case "boolean":
      if (type.kind === "boolean") return { value: json ? 1 : 0 };
      return { detail: "This is not a BOOLEAN; send 1 or 0." };
    default:
      return { detail: "An object or array is for a JSON column only." };
  }
}
