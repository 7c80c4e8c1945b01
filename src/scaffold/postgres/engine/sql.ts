import { partsOf } from "../../../filter/index.ts";
import { keyMembers } from "../../engine/table.ts";
import type { Keeping, Text } from "../driver.ts";
import { quoteName, quoteText } from "../sql-text.ts";
import { expressionOf, filterOperands, filterText, ruleOperands, ruleText } from "./condition-sql.ts";
import type {
  PostgresKey,
  PostgresMember,
  PostgresQuery,
  PostgresRule,
  PostgresTable,
  PostgresValues,
} from "./served.ts";
import { tableName } from "./table-name.ts";

/** A statement and what is bound to it. Names are always quoted, values always bound. */
export interface Sql {
  readonly text: string;
  readonly values: readonly Text[];
}

/** Whether the statements of a table may be kept prepared: not where policies may come to decide, for this role or another. */
export function keepingOf({ hasPolicies, isView }: PostgresTable): Keeping {
  return hasPolicies || isView ? undefined : "keep";
}

function names(members: readonly PostgresMember[]): string {
  return members.map(({ column }) => quoteName(column)).join(", ");
}

/** @param first - the number of its first parameter */
function equalAll(members: readonly PostgresMember[], first: number): string {
  return members.map(({ column, type }, at) => `${quoteName(column)} = $${first + at}${type.cast}`).join(" AND ");
}

/** The condition for one record. @param rule - what it must meet */
function whereKey({ members, values }: PostgresKey, rule: PostgresRule | undefined): Sql {
  const text = ` WHERE ${equalAll(members, 1)}`;
  if (rule === undefined) return { text, values };
  return {
    text: `${text} AND ${ruleText(rule, values.length + 1)}`,
    values: [...values, ...ruleOperands(rule)],
  };
}

/** What a record must meet to be selected, and what is said behind it. */
export interface Selecting {
  readonly rule?: PostgresRule | undefined;
  readonly lock?: string;
}

/** Selects one record. */
export function selectRecord(table: PostgresTable, key: PostgresKey, { rule, lock = "" }: Selecting = {}): Sql {
  const { text, values } = whereKey(key, rule);
  return { text: `SELECT ${names(table.members)} FROM ${tableName(table)}${text}${lock}`, values };
}

function where({ filter, rule }: PostgresQuery): Sql {
  const values = filterOperands(filter).map(({ value }) => value);
  const own = partsOf(filter).length === 0 ? [] : [`(${filterText(filter)})`];
  const ruled = rule === undefined ? [] : [ruleText(rule, values.length + 1)];
  const conditions = [...own, ...ruled];
  if (conditions.length === 0) return { text: "", values: [] };
  return { text: ` WHERE ${conditions.join(" AND ")}`, values: [...values, ...(rule ? ruleOperands(rule) : [])] };
}

/**
 * Selects a table's records in order, at most `limit` of them. No clause of the order is there that was not asked for.
 *
 * @param lock - what is said behind it
 */
export function selectRecords(table: PostgresTable, query: PostgresQuery, limit: number, lock = ""): Sql {
  const { text, values } = where(query);
  const order = query.order.map(({ member, descending, nulls }) => {
    return `${expressionOf(member)}${descending ? " DESC" : ""}${nulls ? ` NULLS ${nulls.toUpperCase()}` : ""}`;
  });
  const by = order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
  const cut = `LIMIT ${limit} OFFSET ${query.offset ?? 0}`;
  return {
    text: `SELECT ${names(table.members)} FROM ${tableName(table)}${text}${by} ${cut}${lock}`,
    values,
  };
}

/** Counts the records that filters let through, up to `limit`. */
export function countRecords(table: PostgresTable, query: PostgresQuery | undefined, limit: number | "ALL"): Sql {
  const { text, values } = query ? where(query) : { text: "", values: [] };
  const part = `SELECT FROM ${tableName(table)}${text} LIMIT ${limit}`;
  return { text: `SELECT count(*) FROM (${part}) part`, values };
}

/** Asks for the plan of a query, which says about how many records filters let through. */
export function planRecords(table: PostgresTable, query: PostgresQuery): Sql {
  const { text, values } = where(query);
  return { text: `EXPLAIN (FORMAT JSON) SELECT FROM ${tableName(table)}${text}`, values };
}

/** True where a relation of `pg_class` has another file now than the transaction's snapshot says. */
function isOther(name: string): string {
  return `pg_relation_filenode(${name}.oid) IS DISTINCT FROM nullif(${name}.relfilenode, 0)`;
}

/**
 * Asks whether a table has another file now than the transaction's snapshot says, and whether it has partitions, which have
 * files of their own: what a statement before has read is what is there now then.
 */
export function isAnotherFile(table: PostgresTable): string {
  const relation = `${quoteText(tableName(table))}::regclass`;
  return `SELECT ${isOther("c")}, c.relkind = 'p' FROM pg_class c WHERE c.oid = ${relation}`;
}

const anyOther = `c.oid >= 16384 AND c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND ${isOther("c")}`;

/**
 * Asks whether any table that the transaction has read has another file now than its snapshot says, or is not there in it: of
 * what views, policies, rules and functions read, nobody knows all, but its locks are kept to the end. These are looked at
 * only where there is such a table at all.
 */
export const hasOtherFiles: string = `SELECT EXISTS (SELECT FROM pg_class c WHERE ${anyOther}) AND EXISTS (
  SELECT FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
  WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.relation >= 16384 AND (c.oid IS NULL OR ${anyOther}))`;

/** Asks the same of a table's partitions. */
export function hasAnotherPart(table: PostgresTable): string {
  const parts = `pg_partition_tree(${quoteText(tableName(table))}::regclass) t JOIN pg_class c ON c.oid = t.relid`;
  return `SELECT EXISTS (SELECT FROM ${parts} WHERE ${isOther("c")})`;
}

/**
 * Inserts a record and gives members of it, mostly its key; where these are none, a row that reads nothing.
 *
 * @param unique - nothing is inserted where a record has the same values in these members; absent: that is an error
 */
export function insertRecord(
  table: PostgresTable,
  values: PostgresValues,
  given: readonly PostgresMember[],
  unique: readonly PostgresMember[] = [],
): Sql {
  const members = [...values.keys()];
  const places = members.map((_, at) => `$${at + 1}`).join(", ");
  const content = members.length === 0 ? "DEFAULT VALUES" : `(${names(members)}) VALUES (${places})`;
  const unless = unique.length === 0 ? "" : ` ON CONFLICT (${names(unique)}) DO NOTHING`;
  return {
    text: `INSERT INTO ${tableName(table)} ${content}${unless} RETURNING ${given.length === 0 ? "1" : names(given)}`,
    values: [...values.values()],
  };
}

/** Selects the key of the record that has some values. */
export function selectAlike(table: PostgresTable, values: PostgresValues): Sql {
  const text = `SELECT ${names(keyMembers(table))} FROM ${tableName(table)} WHERE ${equalAll([...values.keys()], 1)}`;
  return { text, values: [...values.values()] };
}

/** Changes members of a record, to a value or to the column's default; gives a row for each record that was changed. */
export function updateRecord(
  table: PostgresTable,
  key: PostgresKey,
  values: PostgresValues,
  defaulted: readonly PostgresMember[],
): Sql {
  const changes = [
    ...[...values.keys()].map(({ column }, at) => `${quoteName(column)} = $${at + 1}`),
    ...defaulted.map(({ column }) => `${quoteName(column)} = DEFAULT`),
  ];
  const condition = equalAll(key.members, values.size + 1);
  return {
    text: `UPDATE ${tableName(table)} SET ${changes.join(", ")} WHERE ${condition} RETURNING 1`,
    values: [...values.values(), ...key.values],
  };
}

/** As {@link updateRecord}, of one member, where the record has another value. */
export function updateOther(table: PostgresTable, key: PostgresKey, member: PostgresMember, value: Text): Sql {
  const column = quoteName(member.column);
  const condition = `${equalAll(key.members, 3)} AND ${column} IS DISTINCT FROM $2`;
  return {
    text: `UPDATE ${tableName(table)} SET ${column} = $1 WHERE ${condition} RETURNING 1`,
    values: [value, value, ...key.values],
  };
}

/** Deletes a record; gives what was deleted. @param rule - what it must meet */
export function deleteRecord(table: PostgresTable, key: PostgresKey, rule?: PostgresRule): Sql {
  const { text, values } = whereKey(key, rule);
  return { text: `DELETE FROM ${tableName(table)}${text} RETURNING ${names(table.members)}`, values };
}
