import type { Connection } from "../sqlite/driver.ts";
import { isRocketTrigger } from "../sqlite/journal.ts";
import type { Table } from "../sqlite/schema.ts";
import { type Check, checksOf, isBroken, quotesText } from "../sqlite/sql-text.ts";
import { constraintOf } from "../sqlite/sqlite-error.ts";
import { Refusal } from "./refusal.ts";

interface SchemaText {
  readonly name: string;
  readonly sql: string;
}

function schemaTexts(connection: Connection, type: "table" | "trigger"): SchemaText[] {
  const rows = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = ?").all(type);
  return rows.map(([name, sql]) => ({ name: String(name), sql: String(sql) }));
}

/** The refusal for a CHECK: with its name, and the record's columns that it mentions. */
function refusalOf({ name, words }: Check, { columns }: Pick<Table, "columns">): Refusal {
  const rule = name === undefined ? "a rule" : `the rule ${JSON.stringify(name)}`;
  const errors = columns
    .filter((column) => words.has(column.name.toLowerCase()))
    .map((column) => ({ field: column.name, detail: `It is what ${rule} of the database is about.` }));
  return new Refusal(422, `The record breaks ${rule} of the database.`, errors.length > 0 ? { errors } : {});
}

/**
 * A broken rule in the schema's own words, where it has some: what a trigger raises, as far as it stands in the trigger
 * and so holds no data, or a CHECK's name and columns. Any other error as it is.
 *
 * @param table - the record's, whose columns the peer knows
 */
export function inOwnWords(connection: Connection, error: unknown, table: Table): unknown {
  const { text, kind } = constraintOf(error) ?? {};
  if (text === undefined || kind !== "check") return error;
  const tables = schemaTexts(connection, "table");
  const own = tables.filter(({ name }) => name === table.name).flatMap(({ sql }) => checksOf(sql));
  const check = own.find((one) => isBroken(one, text));
  if (check) return refusalOf(check, table);
  const triggers = schemaTexts(connection, "trigger").filter(({ name }) => !isRocketTrigger(name));
  if (triggers.some(({ sql }) => quotesText(sql, text))) return new Refusal(422, text);
  // A trigger may have written to another table.
  const other = tables.flatMap(({ sql }) => checksOf(sql)).find(({ name }) => name === text);
  return other ? refusalOf(other, { columns: [] }) : error;
}
