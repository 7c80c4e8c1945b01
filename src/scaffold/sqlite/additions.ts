import { RocketError } from "../../protocol/index.ts";
import type { SqlValue } from "./schema.ts";

/** A function of SQL: it must give the same for the same values, and do nothing else. */
export type SqlFunction = (...values: SqlValue[]) => SqlValue;

/** What a database's own program brings to SQLite, and others need to read it or write to it. */
export interface Additions {
  /** Files of SQLite extensions, which may have functions, collations and virtual tables. They run as this process. Default none. */
  readonly extensions?: readonly string[];
  /** Functions by their names in SQL. Default none. */
  readonly functions?: Readonly<Record<string, SqlFunction>>;
}

/** What a driver can do to take them in. */
export interface AdditionTarget {
  exec(sql: string): void;
  loadExtension(file: string): void;
  defineFunction(name: string, call: SqlFunction): void;
}

function loadExtension(target: AdditionTarget, file: string): void {
  try {
    target.loadExtension(file);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `The SQLite extension ${JSON.stringify(file)} can't be loaded: ${reason}`;
    throw new RocketError("extension-failed", message, { cause });
  }
}

/** Gives a connection what its database's own program brings. @throws RocketError `extension-failed` */
export function add({ extensions = [], functions = {} }: Additions, target: AdditionTarget): void {
  const named = Object.entries(functions);
  if (extensions.length === 0 && named.length === 0) return;
  // Else triggers and indexes may use none of them: whoever gives them trusts the schema with them.
  target.exec("PRAGMA trusted_schema = ON");
  for (const file of extensions) loadExtension(target, file);
  for (const [name, call] of named) target.defineFunction(name, call);
}
