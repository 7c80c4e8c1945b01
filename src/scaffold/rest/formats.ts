import { acceptedRanges, acceptWeight, type Field, type MediaRange } from "../../protocol/index.ts";
import type { Value } from "../../server/index.ts";
import type { ValueType } from "../engine/value-type.ts";
import { Refusal } from "./refusal.ts";
import { encodeRow, type PageFacts, representCollection } from "./representation.ts";
import type { Resource } from "./resource.ts";

/** How a collection is written. */
export interface CollectionFormat {
  readonly mediaType: string;
  /** What `Content-Type` says. */
  readonly contentType: string;
  /** A record by itself. `row` has the values of all members, in their order. */
  encodeRecord(resource: Resource, row: readonly Value[]): string;
  /** The body. @param records - each as {@link encodeRecord} gives it */
  join(resource: Resource, records: readonly string[], facts: PageFacts | undefined): string;
}

/** `{"artists":[…]}`: what can be followed. */
export const jsonFormat: CollectionFormat = {
  mediaType: "application/json",
  contentType: "application/json",
  encodeRecord: encodeRow,
  join: representCollection,
};

/** JSON may be stored with lines of its own: there they are space, for strings have none (RFC 8259 §7). */
const linesFormat: CollectionFormat = {
  mediaType: "application/x-ndjson",
  contentType: "application/x-ndjson",
  encodeRecord: (resource, row) => `${encodeRow(resource, row).replace(/[\r\n]/g, " ")}\n`,
  join: (_resource, records) => records.join(""),
};

function quoteText(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A text as it is; anything else, and JSON, as JSON writes it. NULL is nothing, which no text is. */
function csvValue(type: ValueType, value: Value): string {
  if (value === null) return "";
  const json = type.toJson(value);
  return quoteText(json.startsWith('"') && !type.holdsJson ? String(JSON.parse(json)) : json);
}

function csvLine(values: readonly string[]): string {
  return `${values.join(",")}\r\n`;
}

/** RFC 4180, with a line of names. */
const csvFormat: CollectionFormat = {
  mediaType: "text/csv",
  contentType: "text/csv; charset=utf-8; header=present",
  encodeRecord: ({ table }, row) => csvLine(table.members.map(({ type }, at) => csvValue(type, row[at] ?? null))),
  join: ({ table }, records) => csvLine(table.members.map(({ name }) => quoteText(name))) + records.join(""),
};

const formats: readonly CollectionFormat[] = [jsonFormat, csvFormat, linesFormat];

function mostWanted(ranges: readonly MediaRange[], jsonWeight: number): CollectionFormat | undefined {
  let [chosen, best] = [jsonWeight > 0 ? jsonFormat : undefined, jsonWeight];
  for (const format of formats) {
    const weight = acceptWeight(ranges, format.mediaType);
    if (weight > best) [chosen, best] = [format, weight];
  }
  return chosen;
}

/**
 * The format that a request wants most; JSON where others are not wanted more, and named: who takes anything takes JSON.
 *
 * @throws Refusal 406 where it takes none
 */
export function chooseFormat(fields: readonly Field[]): CollectionFormat {
  const ranges = acceptedRanges(fields);
  const jsonWeight = acceptWeight(ranges, jsonFormat.mediaType);
  const named = ranges.filter(({ type }) => type !== "*/*");
  const chosen = mostWanted(jsonWeight > 0 && named.length > 0 ? named : ranges, jsonWeight);
  if (chosen) return chosen;
  const types = formats.map(({ mediaType }) => mediaType).join(", ");
  throw new Refusal(406, `Collections are there as ${types}, and Accept takes none of them.`);
}
