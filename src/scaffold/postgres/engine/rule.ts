import { BrokenRule, type RuleKind } from "../../engine/broken-rule.ts";
import type { Session } from "../driver.ts";
import { quoteText } from "../sql-text.ts";
import { type Failed, failedOf } from "./failure.ts";
import type { PostgresTable } from "./served.ts";

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
function brokenKey(failed: Failed, table: PostgresTable, written: ReadonlySet<string>): readonly string[] {
  const columns = columnsOf(failed, table);
  return columns.some((column) => written.has(column)) ? columns : [];
}

/** An error as the rule that was broken; any other error as it is. @param written - the columns that were written */
export function brokenRule(error: unknown, table: PostgresTable, written: ReadonlySet<string>): unknown {
  const failed = failedOf(error);
  if (!failed) return error;
  const kind = kinds[failed.code] ?? (failed.code.startsWith("22") ? "datatype" : undefined);
  if (kind === undefined) return error;
  if (kind === "foreignKey") return new BrokenRule(kind, { columns: brokenKey(failed, table, written) }, error);
  const columns = columnsOf(failed, table);
  return new BrokenRule(kind, { columns, text: kind === "raised" ? failed.message : failed.constraint }, error);
}

/** As `brokenRule`, of what a function did, to whichever tables. */
export function brokenRuleOfCall(error: unknown): unknown {
  const failed = failedOf(error);
  const kind = failed && (kinds[failed.code] ?? (failed.code.startsWith("22") ? "datatype" : undefined));
  if (!failed || kind === undefined) return error;
  return new BrokenRule(kind, { text: kind === "raised" ? failed.message : failed.constraint }, error);
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
