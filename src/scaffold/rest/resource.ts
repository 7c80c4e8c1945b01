import pluralize from "pluralize";
import { encodeUrlPart, formatItems, formatPointer, urlTemplateExpression } from "../../protocol/index.ts";
import type { Value } from "../../server/index.ts";
import { hasKey, keyMembers, type Member, type RecordKey, type ServedTable } from "../engine/table.ts";
import { decodePart } from "./target.ts";

/** A table as a collection of records. */
export interface Resource {
  readonly table: ServedTable;
  /** What stands before the names of tables in URLs: nothing, or `/api`. */
  readonly basePath: string;
  /** The collection's path, with the base: `/artists`. */
  readonly path: string;
  /** The name of a collection's and of a record's envelope. */
  readonly plural: string;
  readonly singular: string;
  /** The members' names as a JSON object has them, with their colons. */
  readonly jsonNames: readonly string[];
  /**
   * The member that has a record's own URL: `url`, or `_url` where a column is named so. `undefined` where a column is, and
   * the key gives the URL, and where records have none.
   */
  readonly urlMember: string | undefined;
  /** The `Items` field of a collection. */
  readonly items: string;
  /** The `Items` field of a record. */
  readonly recordItems: string;
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

/** A collection's path. @param name - the table's, also where that is not served */
export function collectionPath(name: string, basePath: string): string {
  return `${basePath}/${partOfName(name)}`;
}

/** SQL takes names for the same whatever their case: where a column is one of these, so does who writes `url`. */
function hasColumn({ members }: ServedTable, name: string): boolean {
  return members.some((member) => member.name.toLowerCase() === name);
}

/** @param hasTemplate - whether the key alone gives a record's URL */
function urlMemberOf(table: ServedTable, hasTemplate: boolean): string | undefined {
  return hasTemplate && hasColumn(table, "url") ? undefined : linkMemberOf(table);
}

/** A name for a member with a URL that no column has. */
function linkMemberOf(table: ServedTable): string {
  let name = "url";
  while (hasColumn(table, name)) name = `_${name}`;
  return name;
}

/** The name of a record's envelope: none that a column for JSON has, so that an object under it is the record; of `s`, itself. */
function recordName({ name: table, members }: ServedTable): string {
  let name = pluralize.singular(table) || table;
  while (members.some((member) => member.name === name && member.type.holdsJson)) name = `${name}_record`;
  return name;
}

/** Describes a table as a collection. */
function createResource(table: ServedTable, basePath: string): Resource {
  const { name, members } = table;
  const keyNames = keyMembers(table).map((member) => member.name);
  const path = collectionPath(name, basePath);
  const singular = recordName(table);
  // A template names no empty column.
  const hasTemplate = hasKey(table) && table.hasPlainKey && !keyNames.includes("");
  const urlMember = hasKey(table) ? urlMemberOf(table, hasTemplate) : undefined;
  const places = { list: formatPointer(name), record: formatPointer(singular) };
  const url = `${path}/${keyNames.map(urlTemplateExpression).join(",")}`;
  return {
    table,
    basePath,
    path,
    plural: name,
    singular,
    jsonNames: members.map((member) => `${JSON.stringify(member.name)}:`),
    urlMember,
    // Where rows have no URLs, no member is the link.
    items: formatItems(hasTemplate ? { ...places, url } : { ...places, link: formatPointer(linkMemberOf(table)) }),
    recordItems: formatItems({ record: formatPointer(singular) }),
  };
}

const resources = new WeakMap<ServedTable, Map<string, Resource>>();

/**
 * The resource of a table; the same one each time.
 *
 * @param basePath - what stands before the table's name in URLs: nothing, or `/api`
 */
export function resourceOf(table: ServedTable, basePath: string): Resource {
  const known = resources.get(table) ?? new Map<string, Resource>();
  let resource = known.get(basePath);
  if (!resource) {
    resource = createResource(table, basePath);
    resources.set(table, known.set(basePath, resource));
  }
  return resource;
}

function partOf({ members }: ServedTable, places: readonly number[], row: readonly Value[]): RecordKey {
  return { members: places.flatMap((at) => members[at] ?? []), values: places.map((at) => row[at] ?? null) };
}

/** The members that a URL gives the values of. */
export function addressMembers({ members, key, named }: ServedTable): Member[] {
  return (named ?? key).flatMap((at) => members[at] ?? []);
}

/** Whether a record has no other name than its rowid, in a table whose other records have a key. */
export function isNameless({ named }: ServedTable, row: readonly Value[]): boolean {
  return named?.some((at) => (row[at] ?? null) === null) === true;
}

/** What a row's URL names it by: a write that is sent elsewhere does not change that, either. */
export function addressOf({ table }: Resource, row: readonly Value[]): RecordKey {
  return partOf(table, isNameless(table, row) ? table.key : (table.named ?? table.key), row);
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
export function urlOf({ path, table }: Resource, row: readonly Value[]): string {
  const { named, key, hasPlainKey } = table;
  const only = row[key[0] ?? -1] ?? null;
  // The most usual key has nothing to encode.
  if (hasPlainKey && key.length === 1 && Number.isSafeInteger(only)) return `${path}/${only}`;
  if (isNameless(table, row)) return `${path}/rowid=${only}`;
  const { members, values } = partOf(table, named ?? key, row);
  const part = members.map(({ type }, at) => type.toKeyPart(values[at] ?? null)).join(",");
  return `${path}/${isLostInPaths(part) ? keyPrefix : ""}${part}`;
}
