import type { JsonPath } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { ValueType } from "./value-type.ts";

/** A member of a record: a column, or what stands for a key where a table has none of its own. */
export interface Member {
  readonly name: string;
  readonly type: ValueType;
  /** Computed by the database: shown, never stored from a body. */
  readonly generated: boolean;
  /** Whether a new record has a value of it that nobody gave: a default, or what the database counts. Absent: no. */
  readonly hasDefault?: boolean;
  /** All values that it takes beside NULL, where the database has a list of them. Absent: not known. */
  readonly listed?: readonly (string | number)[] | undefined;
  /** A part of what tells records apart. */
  readonly inKey: boolean;
  /** Where NULL stands when records are sorted by it, unless something else is asked for; `none` where it is never null. */
  readonly nulls: "lowest" | "highest" | "none";
  /** Where in a column's JSON its values are, for filters and orders: records don't show it. Absent where it is a column. */
  readonly path?: JsonPath;
  /** Gives what a path leads to, as a member by itself; absent where its values are no JSON. */
  readonly at?: (path: JsonPath) => Member;
}

/** What can be done to a table's records. */
export type TableWrite = "create" | "update" | "destroy";

/** All of {@link TableWrite}. */
export const tableWrites: readonly TableWrite[] = ["create", "update", "destroy"];

/** A table that can be served. The engine that made it is given it back, never one of its own making. */
export interface ServedTable {
  readonly name: string;
  /** The members of its records, in the table's order. Rows have their values so. */
  readonly members: readonly Member[];
  /** Members that the viewer may write, and not read. Absent: none. */
  readonly unread?: readonly Member[];
  /**
   * Where in {@link members} the parts of the key are; empty where nothing tells the rows apart, as in a view, or where the
   * viewer may read none of them: they have no URLs.
   */
  readonly key: readonly number[];
  /** Sets of columns, by name, of which no two records have the same values, unless one of these is NULL. Absent: not known. */
  readonly unique?: readonly (readonly string[])[];
  /** Whether a query shows it: what it shows changes with what it is read from. Absent: no. */
  readonly isView?: boolean;
  /** What can be done to its records. Absent: everything. */
  readonly writes?: readonly TableWrite[];
  /**
   * Where the parts of a primary key are that may be null: records that have all of them are addressed by them, others by
   * {@link key}, which is a single number then. Absent where all records are addressed by {@link key}.
   */
  readonly named?: readonly number[] | undefined;
  /** Whether each value of the key stands in a URL just as JSON shows it, so that a URI template makes a record's URL. */
  readonly hasPlainKey: boolean;
}

/** The members that are not the database's alone to give. */
export function writtenMembers({ members, unread = [] }: Pick<ServedTable, "members" | "unread">): Member[] {
  return [...members, ...unread].filter(({ generated }) => !generated);
}

/** Whether rows have URLs: whether something tells them apart. */
export function hasKey({ key }: Pick<ServedTable, "key">): boolean {
  return key.length > 0;
}

/** The members that tell a table's records apart. */
export function keyMembers<One extends Member>({
  members,
  key,
}: {
  readonly members: readonly One[];
  readonly key: readonly number[];
}): One[] {
  return key.flatMap((at) => members[at] ?? []);
}

/** What names a record: members, and their values. */
export interface RecordKey {
  readonly members: readonly Member[];
  readonly values: readonly Value[];
}

/** What names a record, by what tells its table's records apart. @param row - the values of all members */
export function keyOf({ members, key }: Pick<ServedTable, "members" | "key">, row: readonly Value[]): RecordKey {
  return { members: key.flatMap((at) => members[at] ?? []), values: key.map((at) => row[at] ?? null) };
}

/** Members of two tables, in parallel: where their values are equal, the records are related. */
export interface Link {
  readonly from: readonly Member[];
  readonly to: readonly Member[];
}

/** A table or view that can't be served. */
export interface LeftOut {
  readonly name: string;
  /** Why, as a clause for a person: `nothing tells its rows apart`. */
  readonly reason: string;
}

/** Columns of a table whose values name a record of a table, which may be the same one. */
export interface ForeignKey {
  /** The constraint's name, where it has one. */
  readonly name: string | undefined;
  /** The table that has the key, by its name. */
  readonly table: string;
  readonly columns: readonly string[];
  /** What they name: a table, and columns of it in the order of {@link columns}. */
  readonly references: { readonly table: string; readonly columns: readonly string[] };
}

/** Some columns of a table. */
export interface ColumnsOf {
  readonly table: string;
  readonly columns: readonly string[];
}

/** A relation as models name it, seen from one of its ends: all names are those that the models give. */
export interface NamedRelation {
  readonly name: string;
  /** The table that it leads from, and the columns there whose values are equal to… */
  readonly table: string;
  readonly columns: readonly string[];
  /** …those of these, in their order. */
  readonly references: ColumnsOf;
  /** Whether it leads to one record at most, by a foreign key of its own table. */
  readonly isOne: boolean;
  /** A third table that leads there: by these columns from the first end, and by those on to the other; absent where none does. */
  readonly join?: { readonly table: string; readonly from: readonly string[]; readonly to: readonly string[] };
}

/** What a database has to serve; the same object until it changes. */
export interface ServedSchema {
  readonly tables: readonly ServedTable[];
  readonly leftOut: readonly LeftOut[];
  /** Those between {@link tables}, in their order, by columns that the viewer may read. */
  readonly foreignKeys: readonly ForeignKey[];
  /** What models call how {@link tables} are related. Absent: nothing. */
  readonly relations?: readonly NamedRelation[];
  /** The names of tables that are there, and that the viewer may not read. Absent: none. */
  readonly denied?: readonly string[];
  /** Of these, those that the viewer may add records to. They have the columns that it may give, and no key. */
  readonly unseen?: readonly ServedTable[];
  /** In what it is not as models say, in sentences. Absent: in nothing. */
  readonly troubles?: readonly string[];
}
