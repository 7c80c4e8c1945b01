import { acceptWeight, type Field, type MediaRange } from "../../protocol/index.ts";
import type { Value } from "../../server/index.ts";
import type { Tree } from "../engine/tree.ts";
import type { ValueType } from "../engine/value-type.ts";
import { jsonWeight, listType, rangesOf, weightByName } from "./accept.ts";
import { Refusal } from "./refusal.ts";
import {
  encloseRecord,
  encodeRow,
  encodeTree,
  etagOf,
  type PageFacts,
  representCollection,
  spreadFields,
  valueJson,
} from "./representation.ts";
import type { Resource } from "./resource.ts";
import { type Field as SelectedField, type Selection, shownNames } from "./selection.ts";

/** How a collection is written. */
export interface CollectionFormat {
  readonly mediaType: string;
  /** What `Content-Type` says. */
  readonly contentType: string;
  /** Whether it is for exactly one record. */
  readonly isSingle?: boolean;
  /** Whether its parts go on by key by themselves. */
  readonly goesByKey?: boolean;
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

/** How a record by itself is written, too. */
export interface RecordFormat extends CollectionFormat {
  /** The body with a record. @param record - as {@link encodeRecord}, or {@link encodeTree}, gives it */
  enclose(resource: Resource, record: string): string;
}

/** `{"artists":[…]}` and `{"artist":{…}}`: what can be followed. */
export const jsonFormat: RecordFormat = {
  mediaType: "application/json",
  contentType: "application/json",
  encodeRecord: encodeRow,
  encodeTree,
  join: representCollection,
  enclose: encloseRecord,
};

/** What asks for numbers with all their digits, and what such an answer is. */
const exactProfile = "exact-numbers";

/** JSON for who reads numbers of any length: none of them is a text. */
const exactFormat: RecordFormat = {
  mediaType: jsonFormat.mediaType,
  contentType: `application/json; profile="${exactProfile}"`,
  encodeRecord: (resource, row) => encodeRow(resource, row, "toExactJson"),
  encodeTree: (selection, tree) => encodeTree(selection, tree, "toExactJson"),
  join: representCollection,
  enclose: encloseRecord,
};

const singleType = "application/vnd.pgrst.object+json";

/** One record with nothing around it, as PostgREST's clients ask for it; anything else is refused. */
const singleFormat: RecordFormat = {
  mediaType: singleType,
  contentType: singleType,
  isSingle: true,
  encodeRecord: encodeRow,
  encodeTree,
  join: (_resource, [record]) => record ?? "null",
  enclose: (_resource, record) => record,
};

/** Records in a list with nothing around it, as PostgREST's clients expect it; one by itself is a list of one. */
const listFormat: RecordFormat = {
  mediaType: listType,
  contentType: listType,
  encodeRecord: encodeRow,
  encodeTree,
  join: (_resource, records) => `[${records.join(",")}]`,
  enclose: (_resource, record) => `[${record}]`,
};

/** JSON may be stored with lines of its own: there they are space, for strings have none (RFC 8259 §7). */
function asLine(json: string): string {
  return `${json.replace(/[\r\n]/g, " ")}\n`;
}

const linesFormat: CollectionFormat = {
  mediaType: "application/x-ndjson",
  contentType: "application/x-ndjson",
  goesByKey: true,
  encodeRecord: (resource, row) => asLine(encodeRow(resource, row)),
  encodeTree: (selection, tree) => asLine(encodeTree(selection, tree)),
  join: (_resource, records) => records.join(""),
};

function quoteText(text: string): string {
  return text === "" || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A text as it is; anything else, and JSON, as JSON writes it. */
function csvText(json: string, isJson: boolean): string {
  return quoteText(json.startsWith('"') && !isJson ? String(JSON.parse(json)) : json);
}

/** NULL is nothing, which no text is. */
function csvValue(type: ValueType, value: Value): string {
  return value === null ? "" : csvText(type.toJson(value), type.holdsJson);
}

function csvLine(values: readonly string[]): string {
  return `${values.join(",")}\r\n`;
}

/** What is embedded is JSON. A part of JSON that is not there is nothing. */
function csvField(field: Exclude<SelectedField, { kind: "spread" }>, { row, embedded }: Tree): string {
  if (field.kind === "value") {
    if (!field.path) return csvValue(field.type, row[field.at] ?? null);
    const json = valueJson(field, row);
    return json === "null" ? "" : csvText(json, !field.path.isText);
  }
  const records = (embedded[field.at] ?? []).map((tree) => encodeTree(field.selection, tree));
  if (field.isOne && records[0] === undefined) return "";
  return quoteText(field.isOne ? (records[0] ?? "") : `[${records.join(",")}]`);
}

/** RFC 4180, with a line of names. */
const csvFormat: CollectionFormat = {
  mediaType: "text/csv",
  contentType: "text/csv; charset=utf-8; header=present",
  goesByKey: true,
  encodeRecord: ({ table }, row) => csvLine(table.members.map(({ type }, at) => csvValue(type, row[at] ?? null))),
  encodeTree: ({ fields }, tree) => csvLine(spreadFields(fields, tree).map((one) => csvField(...one))),
  join: ({ table }, records, _facts, selection) => {
    const names = selection ? shownNames(selection.fields) : table.members.map(({ name }) => name);
    return csvLine(names.map(quoteText)) + records.join("");
  },
};

/** Those of collections alone. */
const listFormats: readonly CollectionFormat[] = [csvFormat, linesFormat];

/** Those that are asked for by their own names alone. */
const namedFormats: readonly RecordFormat[] = [listFormat, singleFormat];

/** A record as an answer has it. @param json - as {@link RecordFormat.encodeTree} gives it */
export function representAs(
  format: RecordFormat,
  resource: Resource,
  json: string,
): { readonly contentType: string; readonly body: string; readonly etag: string } {
  const body = format.enclose(resource, json);
  return { contentType: format.contentType, body, etag: etagOf(body) };
}

/** Of formats with how much each is wanted, the first that is wanted most; `undefined` where none is. */
function mostWanted<Format>(weighed: readonly (readonly [format: Format, weight: number])[]): Format | undefined {
  const most = Math.max(...weighed.map(([, weight]) => weight));
  return most > 0 ? weighed.find(([, weight]) => weight === most)?.[0] : undefined;
}

/** The formats of records, with how much each is wanted. */
function weighRecordFormats(ranges: readonly MediaRange[]): (readonly [RecordFormat, number])[] {
  const named = namedFormats.map((format) => [format, weightByName(ranges, format.mediaType)] as const);
  const exact = ranges.filter(({ parameters }) => parameters.get("profile") === exactProfile);
  return [[exactFormat, weightByName(exact, exactFormat.mediaType)], [jsonFormat, jsonWeight(ranges)], ...named];
}

/**
 * The format that a request wants most; JSON where others are not wanted more, and named: who takes anything takes JSON.
 *
 * @throws Refusal 406 where it takes none
 */
export function chooseFormat(fields: readonly Field[]): CollectionFormat {
  const ranges = rangesOf(fields);
  const ofRecords = weighRecordFormats(ranges);
  const named = ranges.filter(({ type }) => type !== "*/*");
  const isNamed = jsonWeight(ranges) > 0 && named.length > 0;
  const others = listFormats.map((format) => {
    return [format, acceptWeight(isNamed ? named : ranges, format.mediaType)] as const;
  });
  const chosen = mostWanted<CollectionFormat>([...ofRecords, ...others]);
  if (chosen) return chosen;
  const types = [jsonFormat, ...listFormats, ...namedFormats].map(({ mediaType }) => mediaType).join(", ");
  throw new Refusal(406, `Collections are there as ${types}, and Accept takes none of them.`);
}

/** The format of a record that a request wants most; `undefined` where it takes none. */
export function findRecordFormat(fields: readonly Field[]): RecordFormat | undefined {
  return mostWanted(weighRecordFormats(rangesOf(fields)));
}

/** As {@link findRecordFormat}. @throws Refusal 406 where the request takes none */
export function chooseRecordFormat(fields: readonly Field[]): RecordFormat {
  const format = findRecordFormat(fields);
  if (format) return format;
  const types = [jsonFormat, ...namedFormats].map(({ mediaType }) => mediaType).join(", ");
  throw new Refusal(406, `Records are there as ${types}, and Accept takes none of them.`);
}

/** The format of a record by the `Content-Type` of an answer with it. */
export function recordFormatOf(contentType: string | undefined): RecordFormat {
  return [exactFormat, ...namedFormats].find((format) => format.contentType === contentType) ?? jsonFormat;
}

/** The 406 for another number of records than one, in PostgREST's words, too. */
export function notSingle(count: number): Refusal {
  const found = count === 0 ? "none" : "more than one";
  const members = {
    code: "PGRST116",
    message: "Cannot coerce the result to a single JSON object",
    details: `The result contains ${count === 0 ? "0 rows" : "more than 1 row"}`,
    hint: null,
  };
  return new Refusal(406, `${singleType} is for exactly one record, and there is ${found}.`, { members });
}
