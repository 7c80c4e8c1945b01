import type { Condition, Filter } from "../../../filter/index.ts";
import { keysBetween, relationsBetween } from "../../engine/keys-between.ts";
import { keysOfViews } from "../../engine/keys-of-views.ts";
import { Naming, type OwnTable } from "../../engine/names.ts";
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
import { asModelled, modelKindOf } from "./modelled.ts";
import { SqliteType } from "./value-type.ts";

/** A column as SQL needs it, or the rowid of a table that has no key of its own. */
export interface SqliteMember extends Member {
  readonly type: SqliteType;
  /** Its own name, as SQL has it. */
  readonly column: string;
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
  /** Where in {@link stored} each member's column is; behind the last one, where it is the rowid. */
  readonly places: readonly number[];
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
  readonly table: SqliteTable;
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

function membersOf(table: Table, naming: Naming): SqliteMember[] {
  const { identity, columns } = table;
  const keyColumns = identity.kind === "columns" ? identity.columns : (identity.key ?? []);
  const members = columns.flatMap((column): SqliteMember[] => {
    const { generated, defaultSql, textIndex, listed } = column;
    const name = naming.column(table.name, column.name);
    if (name === undefined) return [];
    const inKey = keyColumns.includes(column.name);
    const sorts = table.utf16 !== true || (table.integerKey && inKey);
    const type = new SqliteType(asModelled(column, modelKindOf(table, column.name, naming)), inKey, sorts);
    const nulls = column.notNull || (table.integerKey && inKey) ? "none" : "lowest";
    const member = {
      name,
      column: column.name,
      type,
      generated,
      // SQLite counts the rowid.
      hasDefault: defaultSql !== null || (table.integerKey && inKey),
      listed,
      inKey,
      nulls,
      collation: collationOf(table, column.name),
      defaultSql,
      textIndex,
    } as const;
    return [type.holdsJson ? { ...member, at: (path) => ({ ...member, ...partOfJson(path) }) } : member];
  });
  if (identity.kind === "rowid") {
    const type = new SqliteType({ declaredType: "", affinity: "integer" }, true);
    const rowid = {
      type,
      generated: false,
      hasDefault: true,
      inKey: true,
      nulls: "none",
      collation: "binary",
      defaultSql: null,
    } as const;
    members.push({ name: identity.alias, column: identity.alias, ...rowid });
  }
  return members;
}

/** How many values SQLite selects at once. */
const maxSelected = 2000;

function textPlaces(table: Table, members: readonly SqliteMember[], own: readonly number[]): number[] {
  if (table.integerKey || table.utf16) return [];
  const places = members.flatMap(({ inKey }, at) => (inKey && (own[at] ?? 0) < table.columns.length ? [at] : []));
  return members.length + places.length > maxSelected ? [] : places;
}

/** What INSTEAD OF triggers do for those who write to a view. */
function writesOf({ events }: ViewFacts): TableWrite[] {
  const writes = { insert: "create", update: "update", delete: "destroy" } as const;
  return [...new Set(events)].map((event) => writes[event]);
}

function serveTable(table: Table, naming: Naming): SqliteTable {
  const { identity } = table;
  const members = membersOf(table, naming);
  const placeOf = (column: string): number => table.columns.findIndex(({ name }) => name === column);
  const places = members.map(({ column }) => (placeOf(column) < 0 ? table.columns.length : placeOf(column)));
  const keyNames = identity.kind === "columns" ? identity.columns : [identity.alias];
  const indexOf = (part: string): number => members.findIndex((member) => member.column === part);
  const named = urlKey(table).map(indexOf);
  return {
    name: naming.table(table.name),
    members,
    key: keyNames.map(indexOf),
    named: named.length > 0 ? named : undefined,
    // Any other column may hold a value that a template makes no URL of, or another's.
    ...(table.view ? { isView: true, writes: writesOf(table.view) } : {}),
    hasPlainKey: table.integerKey || (identity.kind === "rowid" && named.length === 0),
    texts: textPlaces(table, members, places),
    stored: table,
    ...(table.unique ? { unique: naming.columnSets(table.name, table.unique) } : {}),
    places,
  };
}

function reasonOf({ kind, detail = "" }: LeftOut): string {
  if (kind === "virtual") return "virtual tables are not served";
  if (kind === "shadow") return "tables that hold what a virtual table shows are not served";
  return kind === "keyless" ? "nothing tells its rows apart" : `this program can't read it (${detail})`;
}

function ownTable({ name, columns, identity }: Table): OwnTable {
  const key = identity.kind === "columns" ? identity.columns : (identity.key ?? []);
  return { name, columns: columns.map((column) => column.name), key };
}

/** Tables and schemas as REST has them, by the names that models give. */
export class Served {
  readonly #naming: Naming;
  readonly #tables: WeakMap<Table, SqliteTable> = new WeakMap();
  readonly #schemas: WeakMap<Schema, SqliteSchema> = new WeakMap();
  readonly #unwatched: WeakMap<ReadonlyMap<string, string>, ReadonlyMap<string, string>> = new WeakMap();

  constructor(naming: Naming = new Naming()) {
    this.#naming = naming;
  }

  /** A table as REST has it; the same one each time. */
  table(table: Table): SqliteTable {
    let served = this.#tables.get(table);
    if (!served) {
      served = serveTable(table, this.#naming);
      this.#tables.set(table, served);
    }
    return served;
  }

  /** A schema as REST has it; the same one each time. */
  schema(schema: Schema): SqliteSchema {
    let served = this.#schemas.get(schema);
    if (!served) {
      served = this.#serve(schema);
      this.#schemas.set(schema, served);
    }
    return served;
  }

  /** What a table is called, by its own name. */
  readonly nameOf = (own: string): string => this.#naming.table(own);

  /** Whether a table is for anybody to see. @param own - its own name */
  isShown(own: string): boolean {
    return this.#naming.whyHidden(own) === undefined;
  }

  /** What is known of a database, by what it is called. */
  state(
    schema: Schema,
    unwatched: ReadonlyMap<string, string>,
  ): {
    readonly schema: SqliteSchema;
    readonly unwatched: ReadonlyMap<string, string>;
    readonly nameOf: (own: string) => string;
  } {
    return { schema: this.schema(schema), unwatched: this.#unwatchedOf(unwatched), nameOf: this.nameOf };
  }

  #unwatchedOf(byOwnName: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    let named = this.#unwatched.get(byOwnName);
    if (!named) {
      named = new Map([...byOwnName].map(([own, reason]) => [this.nameOf(own), reason]));
      this.#unwatched.set(byOwnName, named);
    }
    return named;
  }

  #serve(schema: Schema): SqliteSchema {
    const all = [...schema.tables, ...schema.views];
    const leftOut = schema.leftOut.map(
      (one): ServedLeftOut => ({ name: this.nameOf(one.name), reason: reasonOf(one) }),
    );
    const tables: SqliteTable[] = [];
    for (const table of all) {
      const reason = this.#naming.whyHidden(table.name);
      if (reason === undefined) tables.push(this.table(table));
      else leftOut.push({ name: table.name, reason });
    }
    const foreignKeys = keysBetween(tables, this.#naming.foreignKeys(this.#allKeys(schema)));
    const relations = relationsBetween(tables, this.#naming.relations);
    const troubles = this.#naming.troubles(all.map(ownTable));
    return { tables, leftOut, foreignKeys, relations, troubles, stored: schema };
  }

  /** By their own names: the foreign keys of tables, and those that views have from them. */
  #allKeys({ tables, views }: Schema): ForeignKey[] {
    const keys = tables.flatMap(({ name: table, foreignKeys }) => {
      return foreignKeys.map(({ name, columns, table: other, references }) => {
        return { name, table, columns, references: { table: other, columns: references } };
      });
    });
    const bases = views.flatMap(({ name, view }) => (view?.of ? [{ view: name, ...view.of }] : []));
    return [...keys, ...keysOfViews(keys, bases)];
  }
}
