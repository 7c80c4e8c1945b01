import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Connection } from "../driver.ts";
import { constraintOf } from "../sqlite-error.ts";
import { brokenKeys, type ValueAt } from "./broken-keys.ts";
import { inOwnWords } from "./own-words.ts";
import type { SqliteTable } from "./served.ts";

/** A write that failed. */
export interface FailedWrite {
  readonly table: SqliteTable;
  /** What it was to store. */
  readonly valueAt: ValueAt;
}

/** What columns are called outside, without those that are shown to nobody. */
function memberNames({ members, stored }: SqliteTable, columns: readonly string[]): string[] {
  return columns.flatMap((column) => {
    const member = members.find((one) => one.column === column);
    // A trigger may have written to another table.
    return member?.name ?? (stored.columns.some(({ name }) => name === column) ? [] : column);
  });
}

/** An error as the rule that was broken, as far as SQLite and the schema tell; any other error as it is. */
export function brokenRule(connection: Connection, error: unknown, { table, valueAt }: FailedWrite): unknown {
  const { kind, columns, text } = constraintOf(error) ?? {};
  if (kind === undefined) return error;
  const { stored } = table;
  if (kind === "check" && text !== undefined) return inOwnWords(connection, text, table, error);
  const broken = kind === "foreignKey" ? brokenKeys(connection, stored, valueAt) : (columns ?? []);
  return new BrokenRule(kind, { columns: memberNames(table, broken) }, error);
}

/** As {@link brokenRule}, where nothing is known of the write. */
export function unknownRule(error: unknown): unknown {
  const { kind, columns } = constraintOf(error) ?? {};
  return kind === undefined ? error : new BrokenRule(kind, { columns: columns ?? [] }, error);
}
