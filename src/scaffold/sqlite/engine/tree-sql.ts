import { partsOf } from "../../../filter/index.ts";
import type { RowRule } from "../../engine/query.ts";
import type { ServedTable } from "../../engine/table.ts";
import type { Cell, Embed, Grouping, TreeQuery } from "../../engine/tree.ts";
import { brakeCondition } from "../brake.ts";
import type { SqlValue } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import { filterSql, ruleSql, type Sql } from "./condition-sql.ts";
import { expressionOf } from "./json-part.ts";
import type { SqliteFilter, SqliteKey, SqliteMember, SqliteRule, SqliteTable } from "./served.ts";
import { equalKey, textBytes } from "./sql.ts";
import { encoded, encodedKeyText, jsonArray } from "./tree-text.ts";

/** A query for records with others in them, in SQLite. */
export interface SqliteTreeQuery extends TreeQuery {
  readonly filter: SqliteFilter;
}

/** Takes parts of a statement in the order in which they stand in it. */
class Statement {
  readonly #values: SqlValue[] = [];
  #aliases = 0;

  /** A name for the next place where a table is read; no table that is served begins so. */
  alias(): string {
    this.#aliases += 1;
    return `"_rocket_${this.#aliases}"`;
  }

  /** A part's text; what is bound to it comes next. */
  add({ text, values }: Sql): string {
    this.#values.push(...values);
    return text;
  }

  /** What a viewer's rights ask; nothing where they ask nothing. */
  rule(rule: RowRule | undefined): string[] {
    return rule ? [`(${this.add(ruleSql(rule as SqliteRule))})`] : [];
  }

  bind(...values: readonly SqlValue[]): void {
    this.#values.push(...values);
  }

  end(text: string): Sql {
    return { text, values: this.#values };
  }
}

/** A table as SQL has it. */
function storedName(table: ServedTable): string {
  return quoteName((table as SqliteTable).stored.name);
}

/** A column at one of the places where its table is read. */
function at(alias: string, { column }: SqliteMember): string {
  return `${alias}.${quoteName(column)}`;
}

/** Byte for byte, as filters compare; by the columns' own collation, too, so that their indexes serve. */
function equalColumns(one: readonly [string, SqliteMember], other: readonly [string, SqliteMember]): string {
  const [a, b] = [at(...one), at(...other)];
  const collations = [one[1].collation, other[1].collation];
  const exact = `${a} COLLATE BINARY = ${b}`;
  if (collations.includes("missing")) return exact;
  return collations.includes("other") ? `${a} = ${b} AND ${exact}` : `${a} = ${b}`;
}

function linkText({ from, to }: Embed["link"], outer: string, inner: string): string {
  const pairs = from.map((member, place) => {
    return equalColumns([outer, member as SqliteMember], [inner, (to[place] ?? member) as SqliteMember]);
  });
  return pairs.join(" AND ");
}

/** What leads from an outer record to those of an embed. */
function wayText(statement: Statement, { link, join }: Embed, outer: string, inner: string): string {
  if (!join) return linkText(link, outer, inner);
  const alias = statement.alias();
  const list = (members: readonly SqliteMember[], place: string): string =>
    members.map((one) => at(place, one)).join(", ");
  const [from, to] = [join.last.from as readonly SqliteMember[], join.last.to as readonly SqliteMember[]];
  const where = [linkText(join.first, outer, alias), ...statement.rule(join.rule)].join(" AND ");
  const table = storedName(join.table);
  return `(${list(to, inner)}) IN (SELECT ${list(from, alias)} FROM ${table} AS ${alias} WHERE ${where})`;
}

function filterText(statement: Statement, filter: SqliteFilter): string[] {
  return partsOf(filter).map((part) => `(${statement.add(filterSql(part))})`);
}

/** What embeds ask of the records that they are in. */
function keptTexts(statement: Statement, embeds: readonly Embed[], outer: string): string[] {
  return embeds.flatMap((embed) => {
    if (embed.keeps === "all") return [];
    const alias = statement.alias();
    const from = `SELECT 1 FROM ${storedName(embed.table)} AS ${alias}`;
    const where = [
      brakeCondition,
      wayText(statement, embed, outer, alias),
      ...conditions(statement, embed.query, alias),
    ];
    return [`${embed.keeps === "with" ? "" : "NOT "}EXISTS (${from} WHERE ${where.join(" AND ")})`];
  });
}

function conditions(statement: Statement, { filter, rule, embeds }: TreeQuery, alias: string): string[] {
  const own = [...filterText(statement, filter as SqliteFilter), ...statement.rule(rule)];
  return [...own, ...keptTexts(statement, embeds, alias)];
}

function direction({
  descending,
  nulls,
}: {
  readonly descending: boolean;
  readonly nulls?: string | undefined;
}): string {
  return ` COLLATE BINARY ${descending ? "DESC" : "ASC"}${nulls ? ` NULLS ${nulls.toUpperCase()}` : ""}`;
}

function orderText(statement: Statement, { order }: TreeQuery, outer: string): string {
  const parts = order.map((part) => {
    const name = expressionOf(part.member as SqliteMember);
    if (!part.of) return name + direction(part);
    const { table, link, rule } = part.of;
    const alias = statement.alias();
    const where = [linkText(link, outer, alias), ...statement.rule(rule)].join(" AND ");
    return `(SELECT ${name} FROM ${storedName(table)} AS ${alias} WHERE ${where} LIMIT 1)${direction(part)}`;
  });
  return parts.length === 0 ? "" : ` ORDER BY ${parts.join(", ")}`;
}

function cellText({ member, aggregate }: Cell): string {
  if (!member) return "count(*)";
  const name = quoteName((member as SqliteMember).column);
  if (aggregate === undefined) return name;
  return `${aggregate}(${name}${aggregate === "min" || aggregate === "max" ? " COLLATE BINARY" : ""})`;
}

function groupText({ cells, order }: Grouping): string {
  const by = cells.flatMap(({ member, aggregate }) =>
    member && aggregate === undefined ? [`${quoteName((member as SqliteMember).column)} COLLATE BINARY`] : [],
  );
  const sorted = order.map((part) => {
    const cell = cells[part.cell];
    return cell ? cellText(cell) + direction(part) : "";
  });
  return `${by.length > 0 ? ` GROUP BY ${by.join(", ")}` : ""}${sorted.length > 0 ? ` ORDER BY ${sorted.join(", ")}` : ""}`;
}

/** Where the records of a query are, sorted and cut. @param way - what leads to them from an outer record */
function source(
  statement: Statement,
  table: ServedTable,
  query: TreeQuery,
  { alias, way, limit }: { readonly alias: string; readonly way: () => string[]; readonly limit: number },
): string {
  const where = [brakeCondition, ...way(), ...conditions(statement, query, alias)].join(" AND ");
  const order = query.grouping ? groupText(query.grouping) : orderText(statement, query, alias);
  statement.bind(limit, query.offset ?? 0);
  return ` FROM ${storedName(table)} AS ${alias} WHERE ${where}${order} LIMIT ? OFFSET ?`;
}

function isShown({ shown }: TreeQuery, member: SqliteMember): boolean {
  return !shown || shown.has(member);
}

/** The records of an embed as a JSON array, of which each row is what {@link readTrees} reads. */
function embedText(statement: Statement, embed: Embed, outer: string): string {
  const { query, table } = embed;
  const alias = statement.alias();
  const rest = { alias, limit: query.limit ?? -1, way: () => [wayText(statement, embed, outer, alias)] };
  if (query.grouping) {
    const cells = query.grouping.cells.map((cell, at) => `${cellText(cell)} AS "c${at}"`).join(", ");
    const row = jsonArray(
      query.grouping.cells.map((_, at) => encoded(`"c${at}"`)),
      [],
    );
    const groups = `SELECT ${cells}${source(statement, table, query, rest)}`;
    return `(SELECT json_group_array(${row}) FROM (${groups}))`;
  }
  const { members, texts } = table as SqliteTable;
  const values = members.map((member, place) => {
    const name = quoteName(member.column);
    if (!isShown(query, member)) return "NULL";
    return texts.includes(place) ? encodedKeyText(name) : encoded(name);
  });
  const row = jsonArray(
    values,
    query.embeds.map((one) => embedText(statement, one, alias)),
  );
  const rows = `SELECT ${row} AS "row"${source(statement, table, query, rest)}`;
  return `(SELECT json_group_array(json("row")) FROM (${rows}))`;
}

function selectTree(statement: Statement, table: SqliteTable, query: TreeQuery, alias: string): string {
  if (query.grouping) return `SELECT ${query.grouping.cells.map(cellText).join(", ")}`;
  const columns = [
    ...table.members.map((member) => (isShown(query, member) ? quoteName(member.column) : "NULL")),
    ...table.texts.map((place) => textBytes(table.members[place])),
    ...query.embeds.map((embed) => embedText(statement, embed, alias)),
  ];
  return `SELECT ${columns.join(", ")}`;
}

/** Selects records with those that are embedded, or groups of them, in order, at most `limit` of them. */
export function selectTrees(table: SqliteTable, query: SqliteTreeQuery, limit: number): Sql {
  const statement = new Statement();
  const alias = statement.alias();
  const select = selectTree(statement, table, query, alias);
  return statement.end(select + source(statement, table, query, { alias, limit, way: () => [] }));
}

/** Selects one record with those that are embedded. */
export function selectTreeOf(table: SqliteTable, key: SqliteKey, query: SqliteTreeQuery): Sql {
  const statement = new Statement();
  const alias = statement.alias();
  const select = selectTree(statement, table, query, alias);
  const where = [
    brakeCondition,
    ...equalKey(key).map((part) => statement.add(part)),
    ...statement.rule(query.rule),
    ...keptTexts(statement, query.embeds, alias),
  ];
  return statement.end(`${select} FROM ${storedName(table)} AS ${alias} WHERE ${where.join(" AND ")}`);
}

/** Counts records, or groups of them, whatever the limit. */
export function countTrees(table: SqliteTable, query: SqliteTreeQuery): Sql {
  const statement = new Statement();
  const alias = statement.alias();
  const grouping = query.grouping && { ...query.grouping, order: [] };
  const all = { ...query, grouping, order: [], offset: 0 };
  const rows = `SELECT 1${source(statement, table, all, { alias, limit: -1, way: () => [] })}`;
  return statement.end(`SELECT count(*) FROM (${rows})`);
}
