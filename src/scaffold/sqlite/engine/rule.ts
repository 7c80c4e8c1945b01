import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Connection } from "../driver.ts";
import type { Table } from "../schema.ts";
import { constraintOf } from "../sqlite-error.ts";
import { brokenKeys, type ValueAt } from "./broken-keys.ts";
import { inOwnWords } from "./own-words.ts";

/** A write that failed. */
export interface FailedWrite {
  readonly table: Table;
  /** What it was to store. */
  readonly valueAt: ValueAt;
}

/** An error as the rule that was broken, as far as SQLite and the schema tell; any other error as it is. */
export function brokenRule(connection: Connection, error: unknown, { table, valueAt }: FailedWrite): unknown {
  const { kind, columns, text } = constraintOf(error) ?? {};
  if (kind === undefined) return error;
  if (kind === "check" && text !== undefined) return inOwnWords(connection, text, table, error);
  if (kind === "foreignKey") return new BrokenRule(kind, { columns: brokenKeys(connection, table, valueAt) }, error);
  return new BrokenRule(kind, { columns: columns ?? [] }, error);
}

/** As {@link brokenRule}, where nothing is known of the write. */
export function unknownRule(error: unknown): unknown {
  const { kind, columns } = constraintOf(error) ?? {};
  return kind === undefined ? error : new BrokenRule(kind, { columns: columns ?? [] }, error);
}
