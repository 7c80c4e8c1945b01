import type { Text } from "./driver.ts";
import { type ArrayItem, parseArray } from "./row-text.ts";
import { type Column, type ColumnType, isArrayType } from "./table.ts";

/** An integer that each double has just so. */
const shortInteger = /^(?:0|-?[1-9]\d{0,14})$/;
const numeral = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i;

/** Digits and exponent of a numeral, so that two of one value are one text. */
export function normalized(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = whole + fraction;
  let [start, end] = [0, digits.length];
  while (digits[start] === "0") start += 1;
  while (end > start && digits[end - 1] === "0") end -= 1;
  if (start === end) return "0";
  return `${sign}${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}

/** Whether a double holds just the value that a numeral says. */
function isExact(text: string): boolean {
  const number = Number(text);
  return Number.isFinite(number) && normalized(String(number)) === normalized(text);
}

/** A number where every reader of JSON gets its value, else a text with all of its digits. */
function numberJson(text: string): string {
  return shortInteger.test(text) || (numeral.test(text) && isExact(text)) ? text : JSON.stringify(text);
}

/** A double is what it is, though its shortest numeral is not exact; infinities and NaN are no JSON. */
function doubleJson(text: string): string {
  return numeral.test(text) ? text : JSON.stringify(text);
}

/** `2026-11-29 20:05:16.5+00` as RFC 3339 has it; what is beyond its years stays as it is. */
function timeJson(text: string): string {
  const [, date, time, zone = ""] =
    /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d(?::\d\d)*)?$/.exec(text) ?? [];
  if (date === undefined) return JSON.stringify(text);
  return `"${date}T${time}${zone.length === 3 ? `${zone}:00` : zone}"`;
}

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text.slice(2), "hex");
}

type ToJson = (type: ColumnType, text: Text) => string;

function itemsJson(items: readonly ArrayItem[], type: ColumnType, toJson: ToJson): string {
  return `[${items.map((item) => (Array.isArray(item) ? itemsJson(item, type, toJson) : toJson(type, item as Text))).join(",")}]`;
}

/** How texts of the types that are not shown as texts are shown. */
const ways: Readonly<Record<string, (text: string) => string>> = {
  bool: (text) => (text === "t" ? "true" : "false"),
  int2: numberJson,
  int4: numberJson,
  int8: numberJson,
  oid: numberJson,
  numeric: numberJson,
  float4: doubleJson,
  float8: doubleJson,
  json: (text) => text,
  jsonb: (text) => text,
  timestamp: timeJson,
  timestamptz: timeJson,
  bytea: (text) => `"${Buffer.from(bytesOf(text)).toString("base64")}"`,
};

/** A value's JSON from the text that PostgreSQL makes of it under `valueSettings`. The journal and a GET show it by this. */
export function valueJson(type: ColumnType, text: Text): string {
  if (text === null) return "null";
  if (isArrayType(type)) return itemsJson(parseArray(text, type.delimiter), type.element, valueJson);
  const way = Object.hasOwn(ways, type.kind) ? ways[type.kind] : undefined;
  return way?.(text) ?? JSON.stringify(text);
}

/** As {@link valueJson}, but each finite number is a number, whatever it is. */
export function exactValueJson(type: ColumnType, text: Text): string {
  if (text === null) return "null";
  if (isArrayType(type)) return itemsJson(parseArray(text, type.delimiter), type.element, exactValueJson);
  return ways[type.kind] === numberJson ? doubleJson(text) : valueJson(type, text);
}

/** A record's JSON: its columns in their order. */
export function recordJson(columns: readonly Column[], row: readonly Text[]): string {
  const members = columns.map(
    ({ name, type }, place) => `${JSON.stringify(name)}:${valueJson(type, row[place] ?? null)}`,
  );
  return `{${members.join(",")}}`;
}
