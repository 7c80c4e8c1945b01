import { acceptedRanges, acceptWeight, type Field, type MediaRange } from "../../protocol/index.ts";
import type { Value } from "../../server/index.ts";
import type { Tree } from "../engine/tree.ts";
import type { ValueType } from "../engine/value-type.ts";
import { Refusal } from "./refusal.ts";
import { encodeRow, encodeTree, type PageFacts, representCollection } from "./representation.ts";
import type { Resource } from "./resource.ts";
import type { Field as SelectedField, Selection } from "./selection.ts";

/** How a collection is written. */
export interface CollectionFormat {
  readonly mediaType: string;
  /** What `Content-Type` says. */
  readonly contentType: string;
  /** A record by itself. `row` has the values of all members, in their order. */
  encodeRecord(resource: Resource, row: readonly Value[]): string;
  /** What is selected of a record, with what is embedded. */
  encodeTree(selection: Selection, tree: Tree): string;
  /**
   * The body.
   *
   * @param records - each as {@link encodeRecord}, or {@link encodeTree}, gives it
   * @param selection - what is selected; `undefined`: everything
   */
  join(
    resource: Resource,
    records: readonly string[],
    facts: PageFacts | undefined,
    selection?: Selection | undefined,
  ): string;
}

/** `{"artists":[…]}`: what can be followed. */
export const jsonFormat: CollectionFormat = {
  mediaType: "application/json",
  contentType: "application/json",
  encodeRecord: encodeRow,
  encodeTree,
  join: representCollection,
};

/** JSON may be stored with lines of its own: there they are space, for strings have none (RFC 8259 §7). */
function asLine(json: string): string {
  return `${json.replace(/[\r\n]/g, " ")}\n`;
}

const linesFormat: CollectionFormat = {
  mediaType: "application/x-ndjson",
  contentType: "application/x-ndjson",
  encodeRecord: (resource, row) => asLine(encodeRow(resource, row)),
  encodeTree: (selection, tree) => asLine(encodeTree(selection, tree)),
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

/** What is embedded is JSON. */
function csvField(field: SelectedField, row: Tree["row"], embedded: Tree["embedded"]): string {
  if (field.kind === "value") return csvValue(field.type, row[field.at] ?? null);
  const records = (embedded[field.at] ?? []).map((tree) => encodeTree(field.selection, tree));
  if (field.isOne && records[0] === undefined) return "";
  return quoteText(field.isOne ? (records[0] ?? "") : `[${records.join(",")}]`);
}

/** RFC 4180, with a line of names. */
const csvFormat: CollectionFormat = {
  mediaType: "text/csv",
  contentType: "text/csv; charset=utf-8; header=present",
  encodeRecord: ({ table }, row) => csvLine(table.members.map(({ type }, at) => csvValue(type, row[at] ?? null))),
  encodeTree: ({ fields }, { row, embedded }) => {
    return csvLine(fields.map((field) => csvField(field, row, embedded)));
  },
  join: ({ table }, records, _facts, selection) => {
    const names = (selection?.fields ?? table.members).map(({ name }) => quoteText(name));
    return csvLine(names) + records.join("");
  },
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
