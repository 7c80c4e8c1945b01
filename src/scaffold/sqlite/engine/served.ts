import type { Condition, Filter } from "../../../filter/index.ts";
import { keysBetween } from "../../engine/keys-between.ts";
import { keysOfViews } from "../../engine/keys-of-views.ts";
import type { Linked, Ordering, Query, RuleGroup } from "../../engine/query.ts";
import type {
  ForeignKey,
  Member,
  LeftOut as ServedLeftOut,
  ServedSchema,
  ServedTable,
  TableWrite,
} from "../../engine/table.ts";
import {
  type LeftOut,
  type Schema,
  type SqlValue,
  type Table,
  type TextIndex,
  urlKey,
  type ViewFacts,
} from "../schema.ts";
import { partOfJson } from "./json-part.ts";
import { SqliteType } from "./value-type.ts";

/** A column as SQL needs it, or the rowid of a table that has no key of its own. */
export interface SqliteMember extends Member {
  readonly type: SqliteType;
  /**
   * The column's collation: byte for byte, another one (or one that is not known), or one that this program does not have,
   * so that the column can be compared byte for byte alone.
   */
  readonly collation: "binary" | "other" | "missing";
  /** The DEFAULT expression's SQL; `null` where there is none. */
  readonly defaultSql: string | null;
  /** By what its texts can be searched; absent where by nothing. */
  readonly textIndex?: TextIndex | undefined;
}

/** A table as REST has it, and the table that it is. */
export interface SqliteTable extends ServedTable {
  readonly members: readonly SqliteMember[];
  /** Where in {@link members} the parts of the key and of URLs are that may be texts in UTF-8. */
  readonly texts: readonly number[];
  readonly stored: Table;
}

/** What names a record, in SQLite. */
export interface SqliteKey {
  readonly members: readonly SqliteMember[];
  readonly values: readonly SqlValue[];
}

/** What is asked of one column, in SQLite. */
export type SqliteCondition = Condition<SqliteMember, SqlValue>;

/** Which records are asked for, in SQLite. */
export type SqliteFilter = Filter<SqliteMember, SqlValue>;

/** What a viewer's right to a record depends on, in SQLite. */
export type SqliteRule = SqliteCondition | SqliteLinked | SqliteRuleGroup;

/** A condition on records that foreign keys lead to, in SQLite. */
export interface SqliteLinked extends Linked {
  readonly columns: readonly SqliteMember[];
  readonly others: readonly SqliteMember[];
  readonly rule: SqliteRule;
}

interface SqliteRuleGroup extends RuleGroup {
  readonly parts: readonly SqliteRule[];
}

/** Which of a table's records are asked for, in SQLite. */
export interface SqliteQuery extends Query {
  readonly filter: SqliteFilter;
  readonly rule?: SqliteRule | undefined;
  readonly order: readonly (Ordering & { readonly member: SqliteMember })[];
}

/** What is stored, by member. */
export type SqliteValues = ReadonlyMap<SqliteMember, SqlValue>;

/** A schema as REST has it, and the schema that it is. */
export interface SqliteSchema extends ServedSchema {
  readonly tables: readonly SqliteTable[];
  readonly stored: Schema;
}

function collationOf({ uncollated, binary }: Table, column: string): SqliteMember["collation"] {
  if (uncollated?.includes(column)) return "missing";
  return binary ? "binary" : "other";
}

function membersOf(table: Table): SqliteMember[] {
  const { identity, columns } = table;
  const keyColumns = identity.kind === "columns" ? identity.columns : (identity.key ?? []);
  const members = columns.map((column): SqliteMember => {
    const { name, generated, defaultSql, textIndex } = column;
    const inKey = keyColumns.includes(name);
    const sorts = table.utf16 !== true || (table.integerKey && inKey);
    const type = new SqliteType(column, inKey, sorts);
    const nulls = column.notNull || (table.integerKey && inKey) ? "none" : "lowest";
    const member = {
      name,
      type,
      generated,
      inKey,
      nulls,
      collation: collationOf(table, name),
      defaultSql,
      textIndex,
    } as const;
    return type.holdsJson ? { ...member, at: (path) => ({ ...member, ...partOfJson(path) }) } : member;
  });
  if (identity.kind === "rowid") {
    const type = new SqliteType({ declaredType: "", affinity: "integer" }, true);
    const rowid = {
      type,
      generated: false,
      inKey: true,
      nulls: "none",
      collation: "binary",
      defaultSql: null,
    } as const;
    members.push({ name: identity.alias, ...rowid });
  }
  return members;
}

/** How many values SQLite selects at once. */
const maxSelected = 2000;

function textPlaces(table: Table, members: readonly SqliteMember[]): number[] {
  if (table.integerKey || table.utf16) return [];
  const places = members.flatMap(({ inKey }, at) => (inKey && at < table.columns.length ? [at] : []));
  return members.length + places.length > maxSelected ? [] : places;
}

/** What INSTEAD OF triggers do for those who write to a view. */
function writesOf({ events }: ViewFacts): TableWrite[] {
  const writes = { insert: "create", update: "update", delete: "destroy" } as const;
  return [...new Set(events)].map((event) => writes[event]);
}

function serveTable(table: Table): SqliteTable {
  const { name, identity } = table;
  const members = membersOf(table);
  const keyNames = identity.kind === "columns" ? identity.columns : [identity.alias];
  const indexOf = (part: string): number => members.findIndex((member) => member.name === part);
  const named = urlKey(table).map(indexOf);
  return {
    name,
    members,
    key: keyNames.map(indexOf),
    named: named.length > 0 ? named : undefined,
    // Any other column may hold a value that a template makes no URL of, or another's.
    ...(table.view ? { isView: true, writes: writesOf(table.view) } : {}),
    hasPlainKey: table.integerKey || (identity.kind === "rowid" && named.length === 0),
    texts: textPlaces(table, members),
    stored: table,
    ...(table.unique ? { unique: table.unique } : {}),
  };
}

const tables = new WeakMap<Table, SqliteTable>();

/** A table as REST has it; the same one each time. */
export function servedTable(table: Table): SqliteTable {
  let served = tables.get(table);
  if (!served) {
    served = serveTable(table);
    tables.set(table, served);
  }
  return served;
}

function reasonOf({ kind, detail = "" }: LeftOut): string {
  if (kind === "virtual") return "virtual tables are not served";
  if (kind === "shadow") return "tables that hold what a virtual table shows are not served";
  return kind === "keyless" ? "nothing tells its rows apart" : `this program can't read it (${detail})`;
}

function foreignKeysOf({ tables }: Schema): ForeignKey[] {
  return tables.flatMap(({ name: table, foreignKeys }) => {
    return foreignKeys.map(({ name, columns, table: other, references }) => {
      return { name, table, columns, references: { table: other, columns: references } };
    });
  });
}

const schemas = new WeakMap<Schema, SqliteSchema>();

/** A schema as REST has it; the same one each time. */
export function servedSchema(schema: Schema): SqliteSchema {
  let served = schemas.get(schema);
  if (!served) {
    const leftOut = schema.leftOut.map((one): ServedLeftOut => ({ name: one.name, reason: reasonOf(one) }));
    const tables = [...schema.tables, ...schema.views].map(servedTable);
    const keys = foreignKeysOf(schema);
    const bases = schema.views.flatMap(({ name, view }) => (view?.of ? [{ view: name, ...view.of }] : []));
    const foreignKeys = keysBetween(tables, [...keys, ...keysOfViews(keys, bases)]);
    served = { tables, leftOut, foreignKeys, stored: schema };
    schemas.set(schema, served);
  }
  return served;
}
