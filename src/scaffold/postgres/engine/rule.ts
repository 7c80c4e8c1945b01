import { BrokenRule, type RuleKind } from "../../engine/broken-rule.ts";
import type { Session, Text } from "../driver.ts";
import { quoteText } from "../sql-text.ts";
import { type Failed, failedOf, parameterRead } from "./failure.ts";
import type { PostgresTable } from "./served.ts";
import { tableName } from "./table-name.ts";

const kinds: Readonly<Record<string, RuleKind>> = {
  "23001": "foreignKey",
  "23502": "notNull",
  "23503": "foreignKey",
  "23505": "unique",
  "23514": "check",
  "23P01": "unique",
  "428C9": "datatype",
  "44000": "check",
  P0001: "raised",
};

/** The columns of a rule, where the record's own table has it. */
function columnsOf({ column, constraint, table }: Failed, own: PostgresTable): readonly string[] {
  if (table !== own.ownName) return [];
  const columns = column !== undefined ? [column] : (own.rules.find(({ name }) => name === constraint)?.columns ?? []);
  // In the record's order, and only what the viewer may know.
  return own.members.filter((member) => columns.includes(member.column)).map(({ name }) => name);
}

/** The columns of a foreign key that names nothing; none where others name the record. */
function brokenKey(failed: Failed, table: PostgresTable, given: GivenValues): readonly string[] {
  const columns = columnsOf(failed, table);
  return columns.some((column) => given.has(column)) ? columns : [];
}

/** What a statement's first parameters are: the values that columns were given, by the columns' names. */
export type GivenValues = ReadonlyMap<string, Text>;

/** The value that could not be read as one of its column's type, where PostgreSQL says which. */
function unreadValue(failed: Failed, given: GivenValues): readonly [column: string, value: Text] | undefined {
  const place = parameterRead(failed);
  return place === undefined ? undefined : [...given][place - 1];
}

/** An error as the rule that was broken; any other error as it is. */
export function brokenRule(error: unknown, table: PostgresTable, given: GivenValues): unknown {
  const failed = failedOf(error);
  if (!failed) return error;
  const kind = kinds[failed.code] ?? (failed.code.startsWith("22") ? "datatype" : undefined);
  if (kind === undefined) return error;
  if (kind === "foreignKey") return new BrokenRule(kind, { columns: brokenKey(failed, table, given) }, error);
  const unread = kind === "datatype" ? unreadValue(failed, given) : undefined;
  if (unread) return new BrokenRule(kind, { columns: [unread[0]], text: unread[1] ?? undefined }, error);
  const columns = columnsOf(failed, table);
  const text = kind === "datatype" ? undefined : kind === "raised" ? failed.message : failed.constraint;
  const isOwnValue = kind === "unique" && columns.length > 0 && !columns.some((column) => given.has(column));
  return new BrokenRule(kind, { columns, text, isOwnValue }, error);
}

/** As `brokenRule`, of what a function did, to whichever tables. */
export function brokenRuleOfCall(error: unknown): unknown {
  const failed = failedOf(error);
  const kind = failed && (kinds[failed.code] ?? (failed.code.startsWith("22") ? "datatype" : undefined));
  if (!failed || kind === undefined) return error;
  const text = kind === "datatype" ? undefined : kind === "raised" ? failed.message : failed.constraint;
  return new BrokenRule(kind, { text }, error);
}

/**
 * A raised text as far as it stands in a function of the database, and so holds no data; else a rule without words. Asked
 * outside the transaction that failed.
 */
export async function inOwnWords(session: Session, rule: BrokenRule): Promise<BrokenRule> {
  if (rule.kind !== "raised") return rule;
  const literal = quoteText(rule.text ?? "");
  const sql = `SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'rocket') AND position($1 IN p.prosrc) > 0)`;
  const [row] = await session.query(sql, [literal]);
  return row?.[0] === "t" ? rule : new BrokenRule("check", {}, rule.cause);
}

/** The labels of the enum that a column is of; none where it is of no enum. */
export async function enumLabels(session: Session, table: PostgresTable, column: string): Promise<string[]> {
  const sql = `SELECT e.enumlabel FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
      JOIN pg_enum e ON e.enumtypid IN (t.oid, t.typelem, t.typbasetype)
    WHERE a.attrelid = $1::regclass AND a.attname = $2 ORDER BY e.enumsortorder`;
  return (await session.query(sql, [tableName(table), column])).map(([label]) => label ?? "");
}

/** Whether a value has more characters or digits than its column: PostgreSQL does not say which column that is. */
export function isTooLong(error: unknown, { columns }: BrokenRule): boolean {
  return columns.length === 0 && ["22001", "22003"].includes(failedOf(error)?.code ?? "");
}

/** The first of the values that is too long for its column, and what that takes. */
export async function tooLongValue(
  session: Session,
  table: PostgresTable,
  given: GivenValues,
): Promise<{ readonly name: string; readonly text: string; readonly takes: string } | undefined> {
  const columns = table.members.filter(({ name }) => given.has(name));
  // A typmod is 4 more than the length, or than precision and scale in 16 bits each.
  const sql = `SELECT g.place, g.value, CASE WHEN c.type = 'numeric'::regtype THEN format_type(c.type, c.mod)
        ELSE 'at most ' || c.mod - 4 || ' characters' END
      FROM ROWS FROM (json_array_elements_text($2), json_array_elements_text($3)) WITH ORDINALITY AS g (name, value, place)
      JOIN pg_attribute a ON a.attrelid = $1::regclass AND a.attname = g.name
      JOIN pg_type t ON t.oid = a.atttypid
      CROSS JOIN LATERAL (SELECT CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END,
        CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE a.atttypmod END) AS c (type, mod)
      CROSS JOIN LATERAL (SELECT ((c.mod - 4) & 2047 # 1024) - 1024) AS s (scale)
    WHERE c.mod >= 4 AND CASE WHEN c.type IN ('varchar'::regtype, 'bpchar'::regtype)
        THEN length(rtrim(g.value, ' ')) > c.mod - 4
      WHEN c.type = 'numeric'::regtype
        THEN g.value::numeric <> 'NaN' AND abs(round(g.value::numeric, s.scale)) >= 10::numeric ^ (((c.mod - 4) >> 16) - s.scale)
      ELSE false END
    ORDER BY g.place LIMIT 1`;
  const list = (texts: readonly Text[]): string => JSON.stringify(texts);
  const names = columns.map(({ column }) => column);
  const values = columns.map(({ name }) => given.get(name) ?? null);
  const [row] = await session.query(sql, [tableName(table), list(names), list(values)]);
  const [place, text, takes] = row ?? [];
  const member = columns[Number(place) - 1];
  return member && text != null && takes != null ? { name: member.name, text, takes } : undefined;
}
