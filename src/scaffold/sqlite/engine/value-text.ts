import { decodeBase64, encodeBase64 } from "../../json/base64.ts";
import { shorten } from "../../rest/refusal.ts";
import type { SqlValue } from "../schema.ts";
import { canonicalValue, isConverted, type StoredType } from "./value-kind.ts";

/** A text's value, or what is wrong with it. */
export type Resolved = { readonly value: SqlValue } | { readonly detail: string };

const numeral = /^[ \t-\r]*([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t-\r]*$/;
/** Whether SQLite's numeric affinities make a number of a text. */
export function isNumeralText(text: string): boolean {
  return numeral.test(text);
}

const integerNumeral = /^[+-]?[0-9]+$/;

const maxIntegerDigits = 19;

/** The number that SQLite's numeric affinities make of a text; `undefined` where the text stays a text. */
export function parseNumber(text: string, exactIntegers: boolean): SqlValue | undefined {
  if (text === "Infinity") return Number.POSITIVE_INFINITY;
  if (text === "-Infinity") return Number.NEGATIVE_INFINITY;
  const digits = numeral.exec(text)?.[1];
  if (digits === undefined) return undefined;
  if (!exactIntegers || !integerNumeral.test(digits)) return canonicalValue(Number(digits));
  // More than these are beyond 64 bits; making such an integer takes longer than linear time.
  if (digits.replace(/^[+-]?0*/, "").length > maxIntegerDigits) return canonicalValue(Number(digits));
  const integer = BigInt(digits.replace(/^\+/, ""));
  return canonicalValue(BigInt.asIntN(64, integer) === integer ? integer : Number(digits));
}

function numberIn({ affinity }: StoredType, text: string): SqlValue {
  return parseNumber(text, affinity !== "real") ?? text;
}

/**
 * The value that a text in a URL means, in a filter and in a key. It is the one place that decides: SQL and the views'
 * filters both compare with what it gives, by `=` and byte for byte.
 */
export function resolveText(type: StoredType, text: string): SqlValue {
  switch (type.kind) {
    case "text":
      return text;
    case "base64":
      return decodeBase64(text) ?? (isConverted(type) ? numberIn(type, text) : text);
    case "boolean":
      if (text === "true" || text === "false") return text === "true" ? 1 : 0;
      return parseNumber(text, true) ?? text;
    case "untyped": {
      const number = parseNumber(text, true);
      return number !== undefined && formatValue(type, number) === text ? number : text;
    }
    default:
      return type.affinity === "text" ? text : numberIn(type, text);
  }
}

/**
 * The value that a part of a URL means. None has a NUL where SQL converts what it compares: it would take what stands
 * before it for the whole.
 */
export function resolvePart(type: StoredType, text: string): Resolved {
  const value = resolveText(type, text);
  if (!isConverted(type) || typeof value !== "string" || !value.includes("\0")) return { value };
  return { detail: `${JSON.stringify(shorten(text))} has a NUL, which no value of this column has.` };
}

/** A value as it stands in a URL: a key's part, or a filter's value. The same text as the JSON value's own. */
export function formatValue(type: StoredType, value: SqlValue): string {
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (type.kind === "boolean" && (value === 0 || value === 1)) return value === 1 ? "true" : "false";
  return String(value);
}
