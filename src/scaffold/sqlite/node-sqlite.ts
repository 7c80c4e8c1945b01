import { createRequire } from "node:module";
import { type Additions, add, type SqlFunction } from "./additions.ts";
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

interface NodeStatement {
  all(...parameters: readonly SqlValue[]): SqlValue[][];
  iterate(...parameters: readonly SqlValue[]): Iterable<SqlValue[]>;
  run(...parameters: readonly SqlValue[]): { readonly changes: number | bigint };
  setReadBigInts(enabled: boolean): void;
  setReturnArrays(enabled: boolean): void;
}

interface NodeDatabase {
  exec(sql: string): void;
  prepare(sql: string): NodeStatement;
  loadExtension(file: string): void;
  function(name: string, options: object, call: SqlFunction): void;
  close(): void;
}

interface NodeOptions {
  readonly readOnly: boolean;
  readonly timeout: number;
  readonly allowExtension?: boolean;
  readonly enableDoubleQuotedStringLiterals?: boolean;
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string, options: NodeOptions) => NodeDatabase;
  readonly StatementSync: { readonly prototype: Partial<NodeStatement> };
}

interface Loaded {
  readonly module: NodeSqlite;
  /** Whether text comes back whole: in Node 22 it ends at its first NUL. */
  readonly isExact: boolean;
}

/** Loads without the warning that the module is experimental: who uses Rocket can do nothing about it. */
function load(): Loaded | undefined {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 13)) return undefined;
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    const module = createRequire(import.meta.url)("node:sqlite") as NodeSqlite;
    // Before 22.16 rows come as objects only, which lose columns of the same name.
    if (typeof module.StatementSync.prototype.setReturnArrays !== "function") return undefined;
    const connection = new NodeSqliteConnection(new module.DatabaseSync(":memory:", { readOnly: false, timeout: 0 }));
    const [row] = connection.prepare("SELECT CAST(x'6100' AS TEXT)").all();
    connection.close();
    return { module, isExact: row?.[0] === "a\0" };
  } catch {
    return undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}

let loaded: Loaded | undefined | "not yet" = "not yet";

/** A connection over Node's own `node:sqlite`. */
class NodeSqliteConnection implements Connection {
  readonly brake: Brake = new Brake();
  readonly #database: NodeDatabase;
  readonly #cache: StatementCache;
  #isOpen = true;

  constructor(database: NodeDatabase) {
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

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#cache.clear();
    this.#database.close();
  }

  #make(sql: string): Statement {
    const statement = this.#database.prepare(sql);
    statement.setReadBigInts(true);
    statement.setReturnArrays(true);
    return {
      all: (...parameters) => fromDriver(statement.all(...parameters.map(toDriver))),
      each: (visit, ...parameters) => {
        try {
          for (const row of statement.iterate(...parameters.map(toDriver))) if (!visit(rowFromDriver(row))) return;
        } catch (error) {
          // Used again, it would throw the same error once more.
          this.#cache.delete(sql);
          throw error;
        }
      },
      run: (...parameters) => Number(statement.run(...parameters.map(toDriver)).changes),
    };
  }
}

/**
 * Opens a file with `node:sqlite`; `undefined` where this Node has none that will do.
 *
 * @param mustBeExact - whether one will not do that cuts text with a NUL in it, as that of Node 22 does
 */
export function openNodeSqlite(
  path: string,
  { readOnly, additions }: { readonly readOnly: boolean; readonly additions: Additions },
  mustBeExact: boolean,
): Connection | undefined {
  if (loaded === "not yet") loaded = load();
  if (!loaded || (mustBeExact && !loaded.isExact)) return undefined;
  const allowExtension = (additions.extensions ?? []).length > 0;
  const database = new loaded.module.DatabaseSync(path, {
    ...{ readOnly, timeout: 0, allowExtension },
    // Triggers of other programs may have them.
    enableDoubleQuotedStringLiterals: true,
  });
  const settings = { varargs: true, deterministic: true, useBigIntArguments: true };
  add(additions, {
    exec: (sql) => database.exec(sql),
    loadExtension: (file) => database.loadExtension(file),
    defineFunction: (name, call) => database.function(name, settings, driverFunction(call)),
  });
  return new NodeSqliteConnection(database);
}
