import { createRequire } from "node:module";
import type Database from "better-sqlite3";
import { RocketError } from "../../protocol/index.ts";
import { type Additions, add } from "./additions.ts";
import { Brake, brakeFunction } from "./brake.ts";
import {
  type Connection,
  driverFunction,
  fromDriver,
  rowFromDriver,
  type Statement,
  StatementCache,
  toDriver,
} from "./connection.ts";
import type { SqlValue } from "./schema.ts";

let loaded: typeof Database | undefined;

/** Whether a package is there, loadable or not. */
function isInstalled(name: string, require: NodeJS.Require): boolean {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/**
 * The class of `better-sqlite3`.
 *
 * @param require - how packages are found here
 * @throws RocketError `driver-missing` with what to type: it is not installed, or was not built for this Node
 */
export function loadBetterSqlite(require: NodeJS.Require): typeof Database {
  try {
    const Constructor = require("better-sqlite3") as typeof Database;
    // The binary is loaded when the first database is opened, and may be missing, or one for another Node.
    new Constructor(":memory:").close();
    return Constructor;
  } catch (cause) {
    const advice = isInstalled("better-sqlite3", require)
      ? "The package better-sqlite3 is here, but was not built for this Node. Type: npm rebuild better-sqlite3"
      : "SQLite needs Node 22.16 or later, or the package better-sqlite3. Type: npm i better-sqlite3";
    throw new RocketError("driver-missing", advice, { cause });
  }
}

/** A connection over the package `better-sqlite3`. */
class BetterSqliteConnection implements Connection {
  readonly brake: Brake = new Brake();
  readonly #database: Database.Database;
  readonly #cache: StatementCache;

  constructor(database: Database.Database) {
    this.#database = database;
    this.#cache = new StatementCache((sql) => this.#make(sql));
    database.function(brakeFunction, { deterministic: false, directOnly: true }, this.brake.goOn);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  prepare(sql: string): Statement {
    return this.#cache.get(sql);
  }

  redefineTriggers(sql: ReadonlyMap<string, string>): void {
    const database = this.#database;
    // Else the schema's table can't be changed. The change is rolled back, after the schema was read with it.
    database.unsafeMode(true);
    try {
      database.exec("BEGIN IMMEDIATE; PRAGMA writable_schema = ON");
      const change = database.prepare("UPDATE sqlite_schema SET sql = ? WHERE type = 'trigger' AND name = ?");
      for (const [name, text] of sql) change.run(text, name);
      database.exec("PRAGMA writable_schema = RESET");
      database.prepare("SELECT count(*) FROM sqlite_schema").get();
    } finally {
      if (database.inTransaction) database.exec("ROLLBACK");
      database.exec("PRAGMA writable_schema = OFF");
      database.unsafeMode(false);
    }
  }

  close(): void {
    this.#cache.clear();
    this.#database.close();
  }

  #make(sql: string): Statement {
    const statement = this.#database.prepare<SqlValue[], SqlValue[]>(sql);
    if (!statement.reader) {
      const run = (...parameters: readonly SqlValue[]): number => statement.run(...parameters.map(toDriver)).changes;
      return {
        all: (...parameters) => {
          run(...parameters);
          return [];
        },
        each: (_visit, ...parameters) => void run(...parameters),
        run,
      };
    }
    statement.safeIntegers(true).raw(true);
    const all = (...parameters: readonly SqlValue[]): SqlValue[][] =>
      fromDriver(statement.all(...parameters.map(toDriver)));
    return {
      all,
      each: (visit, ...parameters) => {
        for (const row of statement.iterate(...parameters.map(toDriver))) if (!visit(rowFromDriver(row))) return;
      },
      run: (...parameters) => {
        all(...parameters);
        return Number(this.prepare("SELECT changes()").all()[0]?.[0] ?? 0);
      },
    };
  }
}

/**
 * Opens a file with `better-sqlite3`.
 *
 * @throws RocketError `driver-missing` where the package can't be loaded
 */
export function openBetterSqlite(path: string, readOnly: boolean, additions: Additions): Connection {
  loaded ??= loadBetterSqlite(createRequire(import.meta.url));
  const database = new loaded(path, { readonly: readOnly, timeout: 0 });
  const settings = { varargs: true, deterministic: true, safeIntegers: true };
  add(additions, {
    exec: (sql) => void database.exec(sql),
    loadExtension: (file) => void database.loadExtension(file),
    defineFunction: (name, call) => void database.function(name, settings, driverFunction(call)),
  });
  return new BetterSqliteConnection(database);
}
