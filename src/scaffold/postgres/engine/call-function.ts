import { Refusal, shorten } from "../../rest/refusal.ts";
import type { Row, Text } from "../driver.ts";
import { quoteName } from "../sql-text.ts";
import { failedOf, incomparablePlace, isUnreadable } from "./failure.ts";
import type { PostgresFunction, PostgresParameter } from "./functions.ts";
import { brokenRuleOfCall } from "./rule.ts";
import type { Sql } from "./sql.ts";
import type { ViewerSession } from "./viewer-session.ts";

/** What a function of PostgreSQL is called with. */
export type PostgresArguments = ReadonlyMap<PostgresParameter, Text>;

/** The SQLSTATE of a COMMIT or ROLLBACK inside of a transaction that somebody else has begun. */
const invalidTermination = "2D000";

/** What a function's result is called: no column is likely to be. */
const whole = quoteName("rocket result");

/** Calls a function by its parameters' names, so that others have their defaults. */
function callSql(called: PostgresFunction, given: PostgresArguments, limit: number): Sql {
  const { schema, ownName, gives } = called;
  const places = [...given.keys()].map(({ name, sqlType }, at) => `${quoteName(name)} => $${at + 1}::${sqlType}`);
  if (called.given) {
    const all = [...places, ...called.given.map((name) => `${quoteName(name)} => NULL`)];
    return { text: `CALL ${quoteName(schema)}.${quoteName(ownName)}(${all.join(", ")})`, values: [...given.values()] };
  }
  // A value of a domain may be a whole row, which `*` would take apart.
  const shown = gives === "value" || gives === "values" ? whole : "*";
  const text = `SELECT ${shown} FROM ${quoteName(schema)}.${quoteName(ownName)}(${places.join(", ")}) AS ${whole} LIMIT ${limit}`;
  return { text, values: [...given.values()] };
}

function jsonOf({ columns, gives }: PostgresFunction, row: Row): string {
  const values = columns.map(({ type }, at) => type.toJson(row[at] ?? null));
  if (gives === "value" || gives === "values") return values[0] ?? "null";
  return `{${columns.map(({ name }, at) => `${JSON.stringify(name)}:${values[at]}`).join(",")}}`;
}

/** What went wrong in a call: an argument that is none, else a rule that was broken, by whatever the function did. */
function failureOf(error: unknown, sql: Sql, given: PostgresArguments): unknown {
  if (failedOf(error)?.code === invalidTermination) {
    return new Refusal(422, "The procedure commits or rolls back by itself, and a call is one transaction here.");
  }
  const place = isUnreadable(error) ? incomparablePlace(error, sql.text) : undefined;
  const parameter = place === undefined ? undefined : [...given.keys()][place - 1];
  if (!parameter) return brokenRuleOfCall(error);
  return new Refusal(400, `The argument "${shorten(parameter.name)}" is none of its type, ${parameter.sqlType}.`);
}

/**
 * Calls a function; gives each value or record as JSON.
 *
 * @throws BrokenRule; Refusal 400
 */
export async function callFunction(
  session: ViewerSession,
  called: PostgresFunction,
  given: PostgresArguments,
  limit: number,
): Promise<readonly string[]> {
  const sql = callSql(called, given, limit);
  session.introduce();
  try {
    const rows = await session.query(sql.text, sql.values);
    return called.gives === "none" ? [] : rows.map((row) => jsonOf(called, row));
  } catch (error) {
    throw failureOf(error, sql, given);
  }
}
