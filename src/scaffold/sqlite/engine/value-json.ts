import type { Decoded } from "../../engine/value-type.ts";
import { decodeBase64, encodeBase64 } from "../../json/base64.ts";
import { formatJson } from "../../json/json.ts";
import { JsonNumber, NestingError, parseJson } from "../../json/json-reader.ts";
import { maxNesting } from "../../json/nesting.ts";
import { shownText } from "../broken-text.ts";
import type { SqlValue } from "../schema.ts";
import { exactNumber, isNumeral } from "./decimal.ts";
import type { StoredType } from "./value-kind.ts";

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
export function encodeJsonValue(type: StoredType, value: SqlValue): string {
  if (value === null) return "null";
  switch (typeof value) {
    case "string": {
      const text = shownText(value);
      return type.kind === "json" && isJson(text) ? text : JSON.stringify(text);
    }
    case "bigint":
      return type.kind === "json" ? String(value) : `"${value}"`;
    case "number":
      if (type.kind === "boolean" && (value === 0 || value === 1)) return value === 1 ? "true" : "false";
      return encodeNumber(value);
    default:
      return `"${encodeBase64(value)}"`;
  }
}

const lossy = "Digits of this number would be lost: this column can't hold it.";

function decodeNumber({ affinity }: StoredType, text: string): Decoded {
  if (affinity === "text") return { value: text };
  // Without a type, what a double is shown as is that double, and all else an integer.
  const isDouble = affinity === "real" || (affinity === "blob" && String(Number(text)) === text);
  const value = exactNumber(text, !isDouble);
  if (value === undefined) return { detail: lossy };
  return { value };
}

function decodeString(type: StoredType, text: string): Decoded {
  if (type.kind === "base64") {
    const bytes = decodeBase64(text);
    return bytes ? { value: bytes } : { detail: "Bytes are sent as a base64 text with its padding." };
  }
  // As a filter means it.
  if (type.kind === "boolean" && (text === "true" || text === "false")) return { value: text === "true" ? 1 : 0 };
  if (type.kind === "boolean" && !isNumeral(text)) return { detail: "This is no boolean." };
  if (!type.numbersOnly) return { value: text };
  if (!isNumeral(text)) return { detail: type.kind === "boolean" ? "This is no boolean." : "This is no number." };
  return exactNumber(text, type.affinity !== "real") === undefined ? { detail: lossy } : { value: text };
}

/** Half of a character: no UTF-8 has it, so no text can be stored with it. */
const loneSurrogate = /\p{Surrogate}/u;
/** As JSON writes it: behind an even number of other backslashes. */
const escapedSurrogate = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** Whether a JSON value as it was sent has a text, or a name, with half of a character. */
function hasLoneSurrogate(json: unknown): boolean {
  return typeof json === "string" ? loneSurrogate.test(json) : escapedSurrogate.test(textOf(json) ?? "");
}

const noText = "This has a lone surrogate, which no text can be stored with.";

/** A stored value of a column for JSON, as the JSON that it is shown as. */
export function readStoredJson(type: StoredType, value: SqlValue): unknown {
  if (typeof value !== "string") return parseJson(encodeJsonValue(type, value));
  try {
    return parseJson(value);
  } catch {
    return value;
  }
}

/** A JSON value's text; `undefined` where it is nested too deeply, by itself or merged with what another program stored. */
function textOf(json: unknown): string | undefined {
  try {
    return formatJson(json);
  } catch (error) {
    if (error instanceof NestingError) return undefined;
    throw error;
  }
}

/** What is stored in the row already, where it is told from other values that are shown the same. */
export interface StoredValue {
  readonly value: SqlValue;
  /** What it is shown as, read; only for a column for JSON. */
  readonly json: unknown;
}

function decodeJson(type: StoredType, json: unknown, stored: StoredValue | undefined): Decoded {
  const text = textOf(json);
  if (text === undefined) return { detail: `With what is stored, this is nested more than ${maxNesting} levels deep.` };
  if (stored && (stored.value === text || textOf(stored.json) === text)) return { value: stored.value };
  if (json === null) return { value: null };
  // A column for JSON whose type SQLite takes for a number's turns a text that is one into it.
  const isKept = type.affinity === "text" || type.affinity === "blob";
  const isNumber = typeof json === "number" || json instanceof JsonNumber;
  return isNumber && !isKept ? decodeNumber(type, text) : { value: text };
}

/**
 * Turns a member of a JSON body into what is stored. What the row shows as just this JSON stays, also where another value
 * would be shown the same.
 *
 * @param stored - what the row has; `undefined` where there is none
 */
export function decodeJsonValue(type: StoredType, json: unknown, stored?: StoredValue): Decoded {
  const decoded = decodeAny(type, json, stored);
  const isStored = stored !== undefined && "value" in decoded && decoded.value === stored.value;
  return !isStored && hasLoneSurrogate(json) ? { detail: noText } : decoded;
}

function decodeAny(type: StoredType, json: unknown, stored: StoredValue | undefined): Decoded {
  if (type.kind === "json") return decodeJson(type, json, stored);
  if (typeof json === "object" && json !== null && !(json instanceof JsonNumber)) {
    return { detail: "An object or array is for a JSON column only." };
  }
  const text = formatJson(json);
  if (stored && encodeJsonValue(type, stored.value) === text) return { value: stored.value };
  if (json === null) return { value: null };
  if (typeof json === "string") return decodeString(type, json);
  if (typeof json !== "boolean") return decodeNumber(type, text);
  if (type.kind === "boolean") return { value: json ? 1 : 0 };
  return { detail: "This is not a BOOLEAN; send 1 or 0." };
}
