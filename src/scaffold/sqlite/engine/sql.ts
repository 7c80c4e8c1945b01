import { partsOf } from "../../../filter/index.ts";
import { keyMembers } from "../../engine/table.ts";
import { brakeCondition } from "../brake.ts";
import { brokenBytes, textOfBytes } from "../broken-text.ts";
import type { SqlValue } from "../schema.ts";
import { defaultExpression, quoteName } from "../sql-text.ts";
import { equal, filterSql, ruleSql, type Sql } from "./condition-sql.ts";
import { expressionOf } from "./json-part.ts";
import type {
  SqliteFilter,
  SqliteKey,
  SqliteMember,
  SqliteQuery,
  SqliteRule,
  SqliteTable,
  SqliteValues,
} from "./served.ts";
import { isConverted } from "./value-kind.ts";

const brake: Sql = { text: brakeCondition, values: [] };

function where(conditions: readonly Sql[]): Sql {
  if (conditions.length === 0) return { text: "", values: [] };
  return {
    text: ` WHERE ${conditions.map(({ text }) => text).join(" AND ")}`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/** A text that is not UTF-8: no driver binds one. Where the column makes no numbers, its index serves. */
function equalBroken({ column: name, type, collation }: SqliteMember, bytes: Uint8Array): Sql {
  const column = quoteName(name);
  const exact = `typeof(${column}) = 'text' AND CAST(${column} AS BLOB) = ?`;
  if (isConverted(type)) return { text: exact, values: [bytes] };
  const forced = collation === "missing" ? " COLLATE BINARY" : "";
  return { text: `${column}${forced} = CAST(? AS TEXT) AND ${exact}`, values: [bytes, bytes] };
}

/** A part of a key: SQLite converts what it compares with some columns, so that the value's sort is compared, too. */
function equalPart(member: SqliteMember, value: SqlValue): Sql {
  const column = quoteName(member.column);
  const broken = brokenBytes(value);
  if (broken) return equalBroken(member, broken);
  // Compared as a number, such a text would be what stands before its NUL.
  if (typeof value === "string" && isConverted(member.type) && value.includes("\0")) {
    return { text: `typeof(${column}) = 'text' AND CAST(${column} AS BLOB) = CAST(? AS BLOB)`, values: [value] };
  }
  const { text, values } = equal(member, value);
  const sorts = value instanceof Uint8Array ? "'blob'" : typeof value === "string" ? "'text'" : "'integer', 'real'";
  return { text: `${text} AND typeof(${column}) IN (${sorts})`, values };
}

/** What a record with a key meets. */
export function equalKey({ members, values }: SqliteKey): Sql[] {
  return members.map((member, at) => equalPart(member, values[at] ?? null));
}

function whereQuery({ filter, rule }: SqliteQuery): Sql {
  return where([brake, ...partsOf(filter).map(filterPart), ...rulePart(rule)]);
}

/** Whether SQLite looks at no other rows than it gives, one by one, in the order of their numbers: then it needs no brake. */
function givesEach(
  { stored, isView }: SqliteTable,
  { filter, rule, order: [first, ...others], offset = 0 }: SqliteQuery,
): boolean {
  const isByNumber = stored.integerKey && !isView && first?.member.inKey === true && !first.of && others.length === 0;
  return isByNumber && partsOf(filter).length === 0 && rule === undefined && offset === 0;
}

function rulePart(rule: SqliteRule | undefined): Sql[] {
  if (rule === undefined) return [];
  const { text, values } = ruleSql(rule);
  return [{ text: `(${text})`, values }];
}

/** A part of a conjunction: what `OR` joins stands in parentheses. */
function filterPart(part: SqliteFilter): Sql {
  const sql = filterSql(part);
  return part.kind === "or" ? { ...sql, text: `(${sql.text})` } : sql;
}

/** Whether a column, as SQL has it, has a text with other characters than those of ASCII, or a NUL. */
export function isNotAscii(column: string): string {
  return `(typeof(${column}) = 'text' AND (${column} GLOB '*[^' || char(1) || '-' || char(127) || ']*' OR instr(${column}, char(0))))`;
}

/** The bytes of a text, where it may be no UTF-8 or have a NUL: what a driver gives may stand for several texts. */
export function textBytes(member: SqliteMember | undefined): string {
  const name = member?.column ?? "";
  return `CASE WHEN ${isNotAscii(quoteName(name))} THEN CAST(${quoteName(name)} AS BLOB) END`;
}

/** Puts texts in as they are stored: their bytes stand after `count` values. Changes the values in place. */
function exact(values: SqlValue[], count: number, places: readonly number[]): SqlValue[] {
  if (places.length === 0) return values;
  const bytes = values.splice(count);
  places.forEach((place, index) => {
    const text = bytes[index];
    if (text instanceof Uint8Array) values[place] = textOfBytes(text);
  });
  return values;
}

/** A selected row's members, with the key's texts exactly as they are stored. Changes the row in place. */
export function exactRow({ members, texts }: SqliteTable, row: SqlValue[]): SqlValue[] {
  return exact(row, members.length, texts);
}

/** Which parts of the key are in {@link SqliteTable.texts}. */
function textParts({ key, texts }: SqliteTable): number[] {
  return key.flatMap((at, part) => (texts.includes(at) ? [part] : []));
}

/** The key that {@link insertRecord} gives, exactly as it is stored. Changes it in place. */
export function exactKey(table: SqliteTable, key: SqlValue[]): SqlValue[] {
  return exact(key, table.key.length, textParts(table));
}

function selectFrom(table: SqliteTable): string {
  const names = table.members.map(({ column }) => quoteName(column));
  return `SELECT ${[...names, ...table.texts.map((at) => textBytes(table.members[at]))].join(", ")} FROM ${quoteName(table.stored.name)}`;
}

/** Selects one record. @param rule - what it must meet */
export function selectRecord(table: SqliteTable, key: SqliteKey, rule?: SqliteRule): Sql {
  // By its number it is found at once.
  const isFound = table.stored.integerKey && !table.isView && rule === undefined;
  const { text, values } = where([...(isFound ? [] : [brake]), ...equalKey(key), ...rulePart(rule)]);
  return { text: selectFrom(table) + text, values };
}

/** Selects the bytes of a record's member. */
export function selectBytes(table: SqliteTable, key: SqliteKey, { column }: SqliteMember): Sql {
  const { text, values } = where([brake, ...equalKey(key)]);
  return { text: `SELECT CAST(${quoteName(column)} AS BLOB) FROM ${quoteName(table.stored.name)}${text}`, values };
}

/** Selects a collection's records in order, at most `limit` of them. */
export function selectRecords(table: SqliteTable, query: SqliteQuery, limit: number): Sql {
  const { text, values } = givesEach(table, query) ? where([]) : whereQuery(query);
  const order = query.order.map(
    ({ member, descending, nulls }) =>
      `${expressionOf(member)} COLLATE BINARY ${descending ? "DESC" : "ASC"}${nulls ? ` NULLS ${nulls.toUpperCase()}` : ""}`,
  );
  const by = order.length === 0 ? "" : ` ORDER BY ${order.join(", ")}`;
  return {
    text: `${selectFrom(table)}${text}${by} LIMIT ? OFFSET ?`,
    values: [...values, limit, query.offset ?? 0],
  };
}

/**
 * Counts the records that filters let through, up to `limit`, and those of them that have no place in their order: with
 * bytes in a column that is none of bytes, or with anything else in one that is.
 */
export function countSome(table: SqliteTable, query: SqliteQuery, limit: number): Sql {
  const { text, values } = whereQuery(query);
  const members = query.order.map(({ member }) => member);
  const columns = members.map((member, at) => `typeof(${expressionOf(member)}) AS t${at}`);
  const tests = members.map(
    ({ type }, at) => `t${at} ${type.kind === "base64" ? "NOT IN ('blob', 'null')" : "= 'blob'"}`,
  );
  const some = `SELECT ${columns.join(", ")} FROM ${quoteName(table.stored.name)}${text} LIMIT ?`;
  return { text: `SELECT count(*), total(${tests.join(" OR ")}) FROM (${some})`, values: [...values, limit] };
}

/** Counts the records that filters let through. */
export function countAll(table: SqliteTable, query: SqliteQuery): Sql {
  const { text, values } = whereQuery(query);
  return { text: `SELECT count(*) FROM ${quoteName(table.stored.name)}${text}`, values };
}

/**
 * Selects what a query sorts by, of the records that {@link countSome} counts, where that is a text that is not all ASCII;
 * `undefined` where it sorts by none.
 */
export function selectTexts(table: SqliteTable, query: SqliteQuery, limit: number): Sql | undefined {
  const { text, values } = whereQuery(query);
  const members = query.order.flatMap(({ member }) => {
    // By a part of JSON nobody else can sort.
    if (member.path) return [];
    const isWhole = member.inKey && !table.texts.includes(table.members.indexOf(member));
    return isWhole || member.type.kind === "base64" ? [] : [member];
  });
  if (members.length === 0) return undefined;
  const columns = members.map(({ column }) => quoteName(column)).join(", ");
  const some = `SELECT ${columns} FROM ${quoteName(table.stored.name)}${text} LIMIT ?`;
  const tests = members.map(({ column }) => isNotAscii(quoteName(column))).join(" OR ");
  return { text: `SELECT ${columns} FROM (${some}) WHERE ${tests}`, values: [...values, limit] };
}

/** Counts a collection's records, up to `limit`. */
export function countRecords(table: SqliteTable, limit: number): Sql {
  const some = `SELECT 1 FROM ${quoteName(table.stored.name)} LIMIT ?`;
  return { text: `SELECT count(*) FROM (${some})`, values: [limit] };
}

/** The key's columns, for {@link exactKey}. */
function keyColumns(table: SqliteTable): string {
  const members = keyMembers(table);
  const bytes = textParts(table).map((part) => textBytes(members[part]));
  return [...members.map(({ column }) => quoteName(column)), ...bytes].join(", ");
}

/**
 * Inserts a record and gives its key, for {@link exactKey}.
 *
 * @param unique - nothing is inserted where a record has the same values in these members; absent: that is an error
 */
export function insertRecord(table: SqliteTable, values: SqliteValues, unique: readonly SqliteMember[] = []): Sql {
  const names = [...values.keys()].map(({ column }) => quoteName(column));
  const places = names.map(() => "?");
  const content = names.length === 0 ? "DEFAULT VALUES" : `(${names.join(", ")}) VALUES (${places.join(", ")})`;
  const target = unique.map(({ column }) => quoteName(column)).join(", ");
  // Where nothing is given, SQL has no place for it, and nothing is the same.
  const unless = target === "" || names.length === 0 ? "" : ` ON CONFLICT (${target}) DO NOTHING`;
  return {
    text: `INSERT INTO ${quoteName(table.stored.name)} ${content}${unless} RETURNING ${keyColumns(table) || "1"}`,
    values: [...values.values()],
  };
}

/** Selects the key of the record that has some values, as its columns compare them, for {@link exactKey}. */
export function selectAlike(table: SqliteTable, values: SqliteValues): Sql {
  const conditions = [...values].map(
    ([{ column }, value]): Sql => ({ text: `${quoteName(column)} = ?`, values: [value] }),
  );
  const { text, values: bound } = where(conditions);
  return { text: `SELECT ${keyColumns(table)} FROM ${quoteName(table.stored.name)}${text}`, values: bound };
}

/** Changes members of a record: to a value, or to the column's default. */
export function updateRecord(
  table: SqliteTable,
  key: SqliteKey,
  values: SqliteValues,
  defaulted: readonly SqliteMember[] = [],
): Sql {
  const { text, values: keyValues } = where(equalKey(key));
  const changes = [
    ...[...values.keys()].map(({ column }) => `${quoteName(column)} = ?`),
    ...defaulted.map(({ column, defaultSql }) => `${quoteName(column)} = ${defaultExpression(defaultSql)}`),
  ];
  return {
    text: `UPDATE ${quoteName(table.stored.name)} SET ${changes.join(", ")}${text}`,
    values: [...[...values.values()], ...keyValues],
  };
}

/** Deletes a record. @param rule - what it must meet */
export function deleteRecord(table: SqliteTable, key: SqliteKey, rule?: SqliteRule): Sql {
  const { text, values } = where([...equalKey(key), ...rulePart(rule)]);
  return { text: `DELETE FROM ${quoteName(table.stored.name)}${text}`, values };
}
