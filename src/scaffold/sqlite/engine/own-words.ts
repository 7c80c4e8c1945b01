import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Connection } from "../driver.ts";
import { isRocketTrigger } from "../journal.ts";
import { type Check, checksOf, isBroken, quotesText } from "../sql-text.ts";
import type { SqliteMember, SqliteTable } from "./served.ts";

interface SchemaText {
  readonly name: string;
  readonly sql: string;
}

function schemaTexts(connection: Connection, type: "table" | "trigger"): SchemaText[] {
  const rows = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = ?").all(type);
  return rows.map(([name, sql]) => ({ name: String(name), sql: String(sql) }));
}

function ruleOf({ name, words }: Check, members: readonly SqliteMember[], cause: unknown): BrokenRule {
  const own = members.filter(({ column }) => words.has(column.toLowerCase()));
  return new BrokenRule("check", { text: name, columns: own.map((member) => member.name) }, cause);
}

/**
 * A broken check in the schema's own words, where it has some: what a trigger raises, as far as it stands in the trigger
 * and so holds no data, or a CHECK's name and columns.
 *
 * @param said - what SQLite says of it
 * @param table - the record's, whose columns the peer knows
 */
export function inOwnWords(
  connection: Connection,
  said: string,
  { stored, members }: SqliteTable,
  cause: unknown,
): BrokenRule {
  const tables = schemaTexts(connection, "table");
  const own = tables.filter(({ name }) => name === stored.name).flatMap(({ sql }) => checksOf(sql));
  const check = own.find((one) => isBroken(one, said));
  if (check) return ruleOf(check, members, cause);
  const triggers = schemaTexts(connection, "trigger").filter(({ name }) => !isRocketTrigger(name));
  if (triggers.some(({ sql }) => quotesText(sql, said))) return new BrokenRule("raised", { text: said }, cause);
  // A trigger may have written to another table.
  const other = tables.flatMap(({ sql }) => checksOf(sql)).find(({ name }) => name === said);
  return other ? ruleOf(other, [], cause) : new BrokenRule("check", {}, cause);
}
