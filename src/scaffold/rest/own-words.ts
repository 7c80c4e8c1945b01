import type { Connection } from "../sqlite/driver.ts";
import { checkNames, quotesText } from "../sqlite/sql-text.ts";
import { constraintOf } from "../sqlite/sqlite-error.ts";
import { Refusal } from "./refusal.ts";

function schemaTexts(connection: Connection, type: "table" | "trigger"): string[] {
  const rows = connection.prepare("SELECT sql FROM sqlite_schema WHERE type = ?").all(type);
  return rows.map(([sql]) => String(sql));
}

/**
 * A broken rule in the schema's own words, where it has some: what a trigger raises, as far as it stands in the trigger
 * and so holds no data, or a CHECK's name. Any other error as it is.
 */
export function inOwnWords(connection: Connection, error: unknown): unknown {
  const { text, kind } = constraintOf(error) ?? {};
  if (text === undefined || kind !== "check") return error;
  if (schemaTexts(connection, "trigger").some((sql) => quotesText(sql, text))) return new Refusal(422, text);
  const isNamed = schemaTexts(connection, "table").some((sql) => checkNames(sql).has(text));
  return isNamed ? new Refusal(422, `The record breaks the rule ${JSON.stringify(text)} of the database.`) : error;
}
