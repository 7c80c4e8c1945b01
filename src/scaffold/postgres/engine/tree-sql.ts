import { partsOf } from "../../../filter/index.ts";
import type { RowRule } from "../../engine/query.ts";
import type { Member } from "../../engine/table.ts";
import type { Cell, Embed, Grouping, TreeQuery } from "../../engine/tree.ts";
import type { Text } from "../driver.ts";
import { quoteName } from "../sql-text.ts";
import { expressionOf, filterOperands, filterText, ruleOperands, ruleText } from "./condition-sql.ts";
import type { PostgresFilter, PostgresKey, PostgresMember, PostgresRule, PostgresTable } from "./served.ts";
import { tableName } from "./table-name.ts";

/** What is bound to a parameter, and which column that is compared with. */
export interface Operand {
  /** `undefined` where it is none of the peer's. */
  readonly member: PostgresMember | undefined;
  readonly value: Text;
}

/** A statement, and what is bound to it. */
export interface TreeSql {
  readonly text: string;
  readonly operands: readonly Operand[];
}

/** Takes parts of a statement, and numbers what is bound to them. */
class Statement {
  readonly operands: Operand[] = [];
  #aliases = 0;

  /** A name for the next place where a table is read. */
  alias(): string {
    this.#aliases += 1;
    return `"rocket.${this.#aliases}"`;
  }

  bind(operand: Operand): string {
    this.operands.push(operand);
    return `$${this.operands.length}`;
  }

  filter(filter: PostgresFilter): string {
    const text = filterText(filter, this.operands.length + 1);
    this.operands.push(...filterOperands(filter));
    return text;
  }

  /** What a viewer's rights ask; nothing where they ask nothing. */
  rule(rule: RowRule | undefined): string[] {
    if (!rule) return [];
    const text = ruleText(rule as PostgresRule, this.operands.length + 1);
    this.operands.push(...ruleOperands(rule as PostgresRule).map((value) => ({ member: undefined, value })));
    return [`(${text})`];
  }
}

function at(alias: string, member: Member): string {
  return `${alias}.${quoteName((member as PostgresMember).column)}`;
}

function linkText({ from, to }: Embed["link"], outer: string, inner: string): string {
  return from.map((member, place) => `${at(outer, member)} = ${at(inner, to[place] ?? member)}`).join(" AND ");
}

function named(table: Embed["table"], alias: string): string {
  return `${tableName(table as PostgresTable)} AS ${alias}`;
}

/** What leads from an outer record to those of an embed. */
function wayText(statement: Statement, { link, join }: Embed, outer: string, inner: string): string {
  if (!join) return linkText(link, outer, inner);
  const alias = statement.alias();
  const where = [linkText(join.first, outer, alias), ...statement.rule(join.rule)];
  const to = join.last.to.map((member) => at(inner, member)).join(", ");
  const from = join.last.from.map((member) => at(alias, member)).join(", ");
  return `(${to}) IN (SELECT ${from} FROM ${named(join.table, alias)} WHERE ${where.join(" AND ")})`;
}

function filterTexts(statement: Statement, filter: PostgresFilter): string[] {
  return partsOf(filter).map((part) => `(${statement.filter(part)})`);
}

function conditions(statement: Statement, { filter, rule, embeds }: TreeQuery, alias: string): string[] {
  const own = [...filterTexts(statement, filter as PostgresFilter), ...statement.rule(rule)];
  return [...own, ...keptTexts(statement, embeds, alias)];
}

/** What embeds ask of the records that they are in. */
function keptTexts(statement: Statement, embeds: readonly Embed[], outer: string): string[] {
  return embeds.flatMap((embed) => {
    if (embed.keeps === "all") return [];
    const alias = statement.alias();
    const where = [wayText(statement, embed, outer, alias), ...conditions(statement, embed.query, alias)];
    const not = embed.keeps === "with" ? "" : "NOT ";
    return [`${not}EXISTS (SELECT FROM ${named(embed.table, alias)} WHERE ${where.join(" AND ")})`];
  });
}

function direction({
  descending,
  nulls,
}: {
  readonly descending: boolean;
  readonly nulls?: string | undefined;
}): string {
  return `${descending ? " DESC" : ""}${nulls ? ` NULLS ${nulls.toUpperCase()}` : ""}`;
}

function orderText(statement: Statement, { order }: TreeQuery, outer: string): string {
  const parts = order.map((part) => {
    if (!part.of) return expressionOf(part.member as PostgresMember) + direction(part);
    const { table, link, rule } = part.of;
    const alias = statement.alias();
    const where = [linkText(link, outer, alias), ...statement.rule(rule)].join(" AND ");
    return `(SELECT ${expressionOf(part.member as PostgresMember)} FROM ${named(table, alias)} WHERE ${where} LIMIT 1)${direction(part)}`;
  });
  return parts.length === 0 ? "" : ` ORDER BY ${parts.join(", ")}`;
}

function cellText({ member, aggregate }: Cell): string {
  if (!member) return "count(*)";
  const name = quoteName((member as PostgresMember).column);
  return aggregate === undefined ? name : `${aggregate}(${name})`;
}

function groupText({ cells, order }: Grouping): string {
  const by = cells.filter(({ member, aggregate }) => member && aggregate === undefined).map(cellText);
  const sorted = order.flatMap((part) => {
    const cell = cells[part.cell];
    return cell ? [cellText(cell) + direction(part)] : [];
  });
  return `${by.length > 0 ? ` GROUP BY ${by.join(", ")}` : ""}${sorted.length > 0 ? ` ORDER BY ${sorted.join(", ")}` : ""}`;
}

/** Where the records of a query are, sorted and cut. @param way - what leads to them from an outer record */
function source(
  statement: Statement,
  table: Embed["table"],
  query: TreeQuery,
  { alias, way, limit }: { readonly alias: string; readonly way: () => string[]; readonly limit: number | "ALL" },
): string {
  const where = [...way(), ...conditions(statement, query, alias)];
  const order = query.grouping ? groupText(query.grouping) : orderText(statement, query, alias);
  const met = where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`;
  return ` FROM ${named(table, alias)}${met}${order} LIMIT ${limit} OFFSET ${query.offset ?? 0}`;
}

function shownText({ shown }: TreeQuery, member: Member, alias: string): string {
  const isShown = !shown || [...shown].some(({ name }) => name === member.name);
  return isShown ? at(alias, member) : "NULL";
}

/** The records of an embed as a JSON array, of which each row is what `readTrees` reads. */
function embedText(statement: Statement, embed: Embed, outer: string): string {
  const { query, table } = embed;
  const alias = statement.alias();
  const columns = query.grouping
    ? query.grouping.cells.map(cellText)
    : table.members.map((member) => shownText(query, member, alias));
  const embeds = query.embeds.map((one) => embedText(statement, one, alias));
  const way = (): string[] => [wayText(statement, embed, outer, alias)];
  const from = source(statement, table, query, { alias, way, limit: query.limit ?? "ALL" });
  const row = `json_build_array(${[`ROW(${columns.join(", ")})::text`, ...embeds].join(", ")})`;
  return `(SELECT coalesce(json_agg("row"), '[]') FROM (SELECT ${row} AS "row"${from}) "rocket.rows")`;
}

function selectTree(statement: Statement, table: PostgresTable, query: TreeQuery, alias: string): string {
  if (query.grouping) return `SELECT ${query.grouping.cells.map(cellText).join(", ")}`;
  const columns = [
    ...table.members.map((member) => shownText(query, member, alias)),
    ...query.embeds.map((embed) => embedText(statement, embed, alias)),
  ];
  return `SELECT ${columns.join(", ")}`;
}

/** Selects records with those that are embedded, or groups of them, in order, at most `limit` of them. */
export function selectTrees(table: PostgresTable, query: TreeQuery, limit: number): TreeSql {
  const statement = new Statement();
  const alias = statement.alias();
  const select = selectTree(statement, table, query, alias);
  const text = select + source(statement, table, query, { alias, limit, way: () => [] });
  return { text, operands: statement.operands };
}

/** Selects one record with those that are embedded. */
export function selectTreeOf(table: PostgresTable, key: PostgresKey, query: TreeQuery): TreeSql {
  const statement = new Statement();
  const alias = statement.alias();
  const select = selectTree(statement, table, query, alias);
  const equal = key.members.map((member, place) => {
    return `${at(alias, member)} = ${statement.bind({ member, value: key.values[place] ?? null })}`;
  });
  const where = [...equal, ...statement.rule(query.rule), ...keptTexts(statement, query.embeds, alias)].join(" AND ");
  return { text: `${select} FROM ${named(table, alias)} WHERE ${where}`, operands: statement.operands };
}

/** Counts records, or groups of them, whatever the limit. */
export function countTrees(table: PostgresTable, query: TreeQuery): TreeSql {
  const statement = new Statement();
  const alias = statement.alias();
  const grouping = query.grouping && { ...query.grouping, order: [] };
  const all = { ...query, grouping, order: [], offset: 0 };
  const rows = `SELECT ${grouping ? "1" : ""}${source(statement, table, all, { alias, limit: "ALL", way: () => [] })}`;
  return { text: `SELECT count(*) FROM (${rows}) "rocket.rows"`, operands: statement.operands };
}
