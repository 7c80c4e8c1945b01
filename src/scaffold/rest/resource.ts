import pluralize from "pluralize";
import { encodeUrlPart, formatItems, formatPointer, urlTemplateExpression } from "../../protocol/index.ts";
import { type SqlValue, type Table, urlKey } from "../sqlite/schema.ts";
import { formatKeyPart } from "./key-part.ts";
import { decodePart } from "./target.ts";
import { type ValueType, valueTypeOf } from "./value-kind.ts";

/** A member of a record: a column, or the rowid of a table that has no key of its own. */
export interface Member {
  readonly name: string;
  /** The name as a JSON object has it, with its colon. */
  readonly jsonName: string;
  readonly type: ValueType;
  /** Computed by the database: shown, never stored from a body. */
  readonly generated: boolean;
  /** A part of what tells records apart. */
  readonly inKey: boolean;
  /** Whether this program has the column's collation; without it, values are compared byte for byte alone. */
  readonly collates: boolean;
  /** Whether its texts sort by code point: not in a database whose texts are UTF-16. */
  readonly sorts: boolean;
  /** The DEFAULT expression's SQL; `null` where there is none. */
  readonly defaultSql: string | null;
}

/** What names a record: members, and their values. */
export interface RecordKey {
  readonly members: readonly Member[];
  readonly values: readonly SqlValue[];
}

/** A table as a collection of records. */
export interface Resource {
  readonly table: Table;
  /** The collection's path, with the base: `/artists`. */
  readonly path: string;
  /** The name of a collection's and of a record's envelope. */
  readonly plural: string;
  readonly singular: string;
  /** The columns, in the table's order; then the rowid, where it is the key. Rows are selected so. */
  readonly members: readonly Member[];
  /** Where in {@link members} the key's parts are. */
  readonly key: readonly number[];
  /** Where in {@link members} the parts of the key and of URLs are that may be texts in UTF-8. */
  readonly texts: readonly number[];
  /** Where the parts of a primary key are that may be null: records that have all of them are addressed by them. */
  readonly named: readonly number[] | undefined;
  /**
   * The member that has a record's own URL: `url`, or `_url` where a column is named so. `undefined` where a column is, and
   * the key gives the URL.
   */
  readonly urlMember: string | undefined;
  /** The `Items` field of a collection. */
  readonly items: string;
  /** The `Items` field of a record. */
  readonly recordItems: string;
}

function jsonName(name: string): string {
  return `${JSON.stringify(name)}:`;
}

function membersOf(table: Table): Member[] {
  const { identity, columns } = table;
  const keyColumns = identity.kind === "columns" ? identity.columns : (identity.key ?? []);
  const members = columns.map((column): Member => {
    const { name, generated, defaultSql } = column;
    const inKey = keyColumns.includes(name);
    const collates = table.uncollated?.includes(name) !== true;
    const sorts = table.utf16 !== true || (table.integerKey && inKey);
    const type = valueTypeOf(column, inKey);
    return { name, jsonName: jsonName(name), type, generated, inKey, collates, sorts, defaultSql };
  });
  if (identity.kind === "rowid") {
    const type: ValueType = { kind: "numeric", affinity: "integer" };
    const name = identity.alias;
    members.push({
      name,
      jsonName: jsonName(name),
      type,
      generated: false,
      inKey: true,
      collates: true,
      sorts: true,
      defaultSql: null,
    });
  }
  return members;
}

/** Whether a part of a path would be another URL: those who read URLs take it out (RFC 3986 §5.2.4). */
function isLostInPaths(part: string): boolean {
  return part === "" || part === "." || part === "..";
}

/** Whether a path below the base can't begin with a name: it is lost there, or stands for something else (RFC 8615). */
function isNoBeginning(part: string): boolean {
  return isLostInPaths(part) || part === ".well-known";
}

/** Before a table's name that can't stand in a path by itself. */
const namePrefix = "table=";

/** A table's name as a part of its URL: `artists`; `table=..` where that is `..`. */
function partOfName(name: string): string {
  return `${isNoBeginning(name) ? namePrefix : ""}${encodeUrlPart(name)}`;
}

/** The table's name in a URL's first part, as sent: `table=..` names what `..` can't, which names nothing. */
export function nameInPart(text: string): string | undefined {
  const name = text.startsWith(namePrefix) ? text.slice(namePrefix.length) : undefined;
  if (name !== undefined && isNoBeginning(name)) return name;
  const plain = decodePart(text);
  return isNoBeginning(plain) ? undefined : plain;
}

/** How many values SQLite selects at once. */
const maxSelected = 2000;

function textPlaces(table: Table, members: readonly Member[]): number[] {
  if (table.integerKey || table.utf16) return [];
  const places = members.flatMap(({ inKey }, at) => (inKey && at < table.columns.length ? [at] : []));
  return members.length + places.length > maxSelected ? [] : places;
}

/** SQL takes names for the same whatever their case: where a column is one of these, so does who writes `url`. */
function hasColumn({ columns }: Table, name: string): boolean {
  return columns.some((column) => column.name.toLowerCase() === name);
}

/** @param hasTemplate - whether the key alone gives a record's URL */
function urlMemberOf(table: Table, hasTemplate: boolean): string | undefined {
  let name = "url";
  if (hasTemplate) return hasColumn(table, name) ? undefined : name;
  while (hasColumn(table, name)) name = `_${name}`;
  return name;
}

/** The name of a record's envelope: none that a column for JSON has, so that an object under it is the record. */
function recordName(table: string, members: readonly Member[]): string {
  let name = pluralize.singular(table);
  while (members.some((member) => member.name === name && member.type.kind === "json")) name = `${name}_record`;
  return name;
}

/** Describes a table as a collection. */
function createResource(table: Table, basePath: string): Resource {
  const { name, identity } = table;
  const members = membersOf(table);
  const keyNames = identity.kind === "columns" ? identity.columns : [identity.alias];
  const path = `${basePath}/${partOfName(name)}`;
  const singular = recordName(name, members);
  const indexOf = (part: string): number => members.findIndex((member) => member.name === part);
  // Such a table's rows are not all addressed alike: each says its own URL.
  const named = urlKey(table).map(indexOf);
  // Any other column may hold a value that a template makes no URL of, or another's; and none names an empty column.
  const isWhole = table.integerKey || (identity.kind === "rowid" && named.length === 0);
  const hasTemplate = isWhole && !keyNames.includes("");
  const urlMember = urlMemberOf(table, hasTemplate);
  const places = { list: formatPointer(name), record: formatPointer(singular) };
  const url = `${path}/${keyNames.map(urlTemplateExpression).join(",")}`;
  return {
    table,
    path,
    plural: name,
    singular,
    members,
    key: keyNames.map(indexOf),
    named: named.length > 0 ? named : undefined,
    texts: textPlaces(table, members),
    urlMember,
    items: formatItems(hasTemplate ? { ...places, url } : { ...places, link: formatPointer(urlMember ?? "") }),
    recordItems: formatItems({ record: formatPointer(singular) }),
  };
}

const resources = new WeakMap<Table, Map<string, Resource>>();

/**
 * The resource of a table; the same one each time.
 *
 * @param basePath - what stands before the table's name in URLs: nothing, or `/api`
 */
export function resourceOf(table: Table, basePath: string): Resource {
  const known = resources.get(table) ?? new Map<string, Resource>();
  let resource = known.get(basePath);
  if (!resource) {
    resource = createResource(table, basePath);
    resources.set(table, known.set(basePath, resource));
  }
  return resource;
}

function partOf({ members }: Resource, places: readonly number[], row: readonly SqlValue[]): RecordKey {
  return { members: places.flatMap((at) => members[at] ?? []), values: places.map((at) => row[at] ?? null) };
}

/** The members that tell rows apart. */
export function keyMembers({ members, key }: Resource): Member[] {
  return key.flatMap((at) => members[at] ?? []);
}

/** The members that a URL gives the values of. */
export function addressMembers({ members, key, named }: Resource): Member[] {
  return (named ?? key).flatMap((at) => members[at] ?? []);
}

/** Whether a record has no other name than its rowid, in a table whose other records have a key. */
export function isNameless({ named }: Resource, row: readonly SqlValue[]): boolean {
  return named?.some((at) => (row[at] ?? null) === null) === true;
}

const rowidPart = /^rowid=(-?[0-9]{1,19})$/;

/** The rowid in a URL's last part, as sent; `undefined` where it is a key: no key has an `=` that is not encoded. */
export function parseRowid(text: string): string | undefined {
  return rowidPart.exec(text)?.[1];
}

/** Before a key that can't stand in a path by itself. */
const keyPrefix = "key=";

/** The key in a URL's last part, as sent: `key=.` names what `.` can't, which names nothing. */
export function keyInPart(text: string): string | undefined {
  const key = text.startsWith(keyPrefix) ? text.slice(keyPrefix.length) : undefined;
  if (key !== undefined && isLostInPaths(key)) return key;
  return isLostInPaths(text) ? undefined : text;
}

/** The URL of a row: `/artists/1`; `/artists/rowid=7` where its key is null, `/artists/key=.` where that is `.`. */
export function urlOf(resource: Resource, row: readonly SqlValue[]): string {
  const { path, named, key, table } = resource;
  const only = row[key[0] ?? -1] ?? null;
  // The most usual key has nothing to encode.
  if (table.integerKey && Number.isSafeInteger(only)) return `${path}/${only}`;
  if (isNameless(resource, row)) return `${path}/rowid=${only}`;
  const { members, values } = partOf(resource, named ?? key, row);
  const part = members.map(({ type }, at) => formatKeyPart(type, values[at] ?? null)).join(",");
  return `${path}/${isLostInPaths(part) ? keyPrefix : ""}${part}`;
}
