import pluralize from "pluralize";
import { encodeUrlPart, formatItems, formatPointer, urlTemplateExpression } from "../../protocol/index.ts";
import type { SqlValue, Table } from "../sqlite/schema.ts";
import { type ValueType, valueTypeOf } from "./value-kind.ts";
import { formatValue } from "./value-text.ts";

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
  /** The DEFAULT expression's SQL; `null` where there is none. */
  readonly defaultSql: string | null;
}

/** A table as a collection of records. */
export interface Resource {
  readonly table: Table;
  /** The collection's path: `/artists`. */
  readonly path: string;
  /** The name of a collection's and of a record's envelope. */
  readonly plural: string;
  readonly singular: string;
  /** The columns, in the table's order; then the rowid, where it is the key. Rows are selected so. */
  readonly members: readonly Member[];
  /** Where in {@link members} the key's parts are. */
  readonly key: readonly number[];
  /** Whether records carry their own `url`: unless a column has that name. */
  readonly showsUrl: boolean;
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
  const keyColumns = identity.kind === "columns" ? identity.columns : [];
  const members = columns.map((column): Member => {
    const { name, generated, defaultSql } = column;
    const inKey = keyColumns.includes(name);
    const collates = table.uncollated?.includes(name) !== true;
    return { name, jsonName: jsonName(name), type: valueTypeOf(column, inKey), generated, inKey, collates, defaultSql };
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
      defaultSql: null,
    });
  }
  return members;
}

/** Describes a table as a collection. */
function createResource(table: Table): Resource {
  const { name, identity } = table;
  const members = membersOf(table);
  const keyNames = identity.kind === "columns" ? identity.columns : [identity.alias];
  const path = `/${encodeUrlPart(name)}`;
  const singular = pluralize.singular(name);
  const url = `${path}/${keyNames.map(urlTemplateExpression).join(",")}`;
  return {
    table,
    path,
    plural: name,
    singular,
    members,
    key: keyNames.map((part) => members.findIndex((member) => member.name === part)),
    showsUrl: !members.some((member) => member.name === "url"),
    items: formatItems({ list: formatPointer(name), record: formatPointer(singular), url }),
    recordItems: formatItems({ record: formatPointer(singular) }),
  };
}

const resources = new WeakMap<Table, Resource>();

/** The resource of a table; the same one each time. */
export function resourceOf(table: Table): Resource {
  let resource = resources.get(table);
  if (!resource) {
    resource = createResource(table);
    resources.set(table, resource);
  }
  return resource;
}

/** The key of a row. */
export function keyOf(resource: Resource, row: readonly SqlValue[]): SqlValue[] {
  return resource.key.map((at) => row[at] ?? null);
}

/** The members that make up the key, in the key's order. */
export function keyMembers(resource: Resource): Member[] {
  return resource.key.flatMap((at) => resource.members[at] ?? []);
}

/** The URL of the record with that key: `/artists/1`. */
export function recordUrl(resource: Resource, key: readonly SqlValue[]): string {
  const [only = null] = key;
  // The most usual key has nothing to encode.
  if (resource.table.integerKey && Number.isSafeInteger(only)) return `${resource.path}/${only}`;
  const parts = keyMembers(resource).map(({ type }, at) => encodeUrlPart(formatValue(type, key[at] ?? null)));
  return `${resource.path}/${parts.join(",")}`;
}
