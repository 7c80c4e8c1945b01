import type { Connection } from "../connection.ts";
import { readSchema } from "../introspect.ts";
import type { Schema, Table } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import { readDetails, type TableDetails } from "../table-details.ts";
import { armTable, isRocketTrigger, journalTable } from "./names.ts";
import { shapeOf } from "./shape.ts";
import { makeTables, maxWidth, widenTables } from "./tables.ts";
import { triggersOf } from "./triggers.ts";

/** A set of triggers on one table, as the database remembers it. */
interface Arm {
  readonly id: number;
  readonly name: string;
  /** The `schema_version` that it was last checked at. */
  readonly version: number;
  readonly description: string;
}

interface Trigger {
  readonly order: number;
  readonly name: string;
  readonly table: string;
  readonly sql: string;
}

/** What came of arming. */
export interface Armed {
  readonly schema: Schema;
  /** Tables that can't be watched, and why. */
  readonly failures: ReadonlyMap<string, unknown>;
}

function liveArms(connection: Connection): Arm[] {
  return connection
    .prepare(`SELECT id, name, version, description FROM ${armTable} WHERE NOT retired`)
    .all()
    .map(([id, name, version, description]) => ({
      id: Number(id),
      name: String(name),
      version: Number(version),
      description: String(description),
    }));
}

function readTriggers(connection: Connection): Trigger[] {
  return connection
    .prepare("SELECT rowid, name, lower(tbl_name), sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")
    .all()
    .map(([order, name, table, sql]) => ({
      order: Number(order),
      name: String(name),
      table: String(table),
      sql: String(sql),
    }));
}

/** A table as the journal remembers it: nothing of it depends on the program that looks. */
function describe({ name, columns, identity, foreignKeys, integerKey }: Table): string {
  return JSON.stringify({ name, columns, identity, foreignKeys, integerKey });
}

function schemaVersion(connection: Connection): number {
  return Number(connection.prepare("PRAGMA schema_version").all()[0]?.[0]);
}

/**
 * Puts triggers on the watched tables where they are missing or not as they should be, inside the caller's write
 * transaction. Each table that got new ones, or went away, gets a reset in the journal: what happened to it until now
 * may be missing there.
 */
export class Armer {
  readonly #connection: Connection;
  readonly #isWatched: (name: string) => boolean;
  readonly #failures: Map<string, unknown> = new Map();
  #hasChanged = false;

  constructor(connection: Connection, isWatched: (name: string) => boolean) {
    this.#connection = connection;
    this.#isWatched = isWatched;
  }

  run(): Armed {
    const connection = this.#connection;
    makeTables(connection);
    const schema = readSchema(connection);
    const arms = liveArms(connection).filter((arm) => this.#isWatched(arm.name));
    const isFirst = connection.prepare(`SELECT 1 FROM ${armTable} LIMIT 1`).all().length === 0;
    const triggers = readTriggers(connection);
    const details = readDetails(connection, schema, isRocketTrigger).filter((one) => this.#isWatched(one.table.name));
    for (const one of details) {
      const arm = arms.find(({ name }) => name === one.table.name);
      const own = triggers.filter(({ table }) => table === one.table.name.toLowerCase());
      if (!arm || !this.#isIntact(one, arm, own)) this.#arm(one, arm, own, !isFirst);
      else if (this.#mayBeRenumbered(one, arm)) this.#reset(arm.id);
    }
    const names = new Set([...details.map(({ table }) => table.name), ...schema.leftOut.map(({ name }) => name)]);
    for (const arm of arms) {
      if (names.has(arm.name)) continue;
      this.#retire(arm);
      this.#reset(arm.id);
    }
    const version = schemaVersion(connection);
    if (this.#hasChanged || arms.some((arm) => arm.version !== version)) this.#settle(version);
    return { schema: { ...schema, version }, failures: this.#failures };
  }

  #isIntact(details: TableDetails, arm: Arm, triggers: readonly Trigger[]): boolean {
    if (arm.description !== describe(details.table)) return false;
    const expected = triggersOf(details, arm.id);
    const ours = triggers.filter(({ name }) => isRocketTrigger(name));
    const found = ours.map(({ name, sql }) => [name, sql]);
    if (JSON.stringify(found) !== JSON.stringify([...expected])) return false;
    // The newest trigger fires first, and ours must be first.
    const oldest = Math.min(...ours.map(({ order }) => order));
    return triggers.every(({ name, order }) => isRocketTrigger(name) || order < oldest);
  }

  /** VACUUM gives new rowids to the rows of tables without an INTEGER PRIMARY KEY, and a new `schema_version`. */
  #mayBeRenumbered({ table }: TableDetails, arm: Arm): boolean {
    return table.identity.kind === "rowid" && arm.version !== schemaVersion(this.#connection);
  }

  #arm(details: TableDetails, former: Arm | undefined, triggers: readonly Trigger[], isReset: boolean): void {
    const connection = this.#connection;
    this.#hasChanged = true;
    for (const { name } of triggers) if (isRocketTrigger(name)) this.#dropTrigger(name);
    if (former) this.#retire(former);
    const [row] = connection.prepare(`SELECT coalesce(max(id), 0) + 1 FROM ${armTable}`).all();
    const id = Number(row?.[0]);
    connection
      .prepare(`INSERT INTO ${armTable} (id, name, retired, version, description) VALUES (?, ?, 0, 0, ?)`)
      .run(id, details.table.name, describe(details.table));
    if (isReset) this.#reset(id);
    connection.exec("SAVEPOINT rocket_arm");
    try {
      this.#createTriggers(details, id);
    } catch (error) {
      connection.exec("ROLLBACK TO rocket_arm");
      this.#failures.set(details.table.name, error);
    }
    connection.exec("RELEASE rocket_arm");
  }

  #createTriggers(details: TableDetails, id: number): void {
    const connection = this.#connection;
    const { width } = shapeOf(details);
    if (width > maxWidth) throw new RangeError(`It has ${width} columns; at most ${maxWidth} can be watched.`);
    widenTables(connection, width);
    for (const sql of triggersOf(details, id).values()) connection.exec(sql);
    try {
      this.#compileWrites(details);
    } catch (error) {
      // It may be a trigger of the user's, with functions that this program does not have: ours must be right by itself.
      if (!this.#compilesAlone(details)) throw error;
    }
  }

  /** Whether a table's writes can be compiled while the user's triggers are away. */
  #compilesAlone(details: TableDetails): boolean {
    const connection = this.#connection;
    connection.exec("SAVEPOINT rocket_alone");
    try {
      for (const { name } of readTriggers(connection)) if (!isRocketTrigger(name)) this.#dropTrigger(name);
      this.#compileWrites(details);
      return true;
    } catch {
      return false;
    } finally {
      connection.exec("ROLLBACK TO rocket_alone; RELEASE rocket_alone");
    }
  }

  /** Triggers are read when they are first needed: better here than in somebody's write. */
  #compileWrites(details: TableDetails): void {
    const connection = this.#connection;
    const table = quoteName(details.table.name);
    const column = details.table.columns.find(({ generated }) => !generated);
    const name = quoteName(column?.name ?? "");
    connection.prepare(`EXPLAIN INSERT INTO ${table} DEFAULT VALUES`).all();
    connection.prepare(`EXPLAIN UPDATE ${table} SET ${name} = ${name}`).all();
    connection.prepare(`EXPLAIN DELETE FROM ${table}`).all();
  }

  #dropTrigger(name: string): void {
    this.#connection.exec(`DROP TRIGGER IF EXISTS ${quoteName(name)}`);
  }

  #retire(arm: Arm): void {
    this.#hasChanged = true;
    this.#connection.prepare(`UPDATE ${armTable} SET retired = 1 WHERE id = ?`).run(arm.id);
  }

  #reset(arm: number): void {
    this.#connection.prepare(`INSERT INTO ${journalTable} (arm, has) VALUES (?, 0)`).run(arm);
  }

  #settle(version: number): void {
    for (const arm of liveArms(this.#connection)) {
      if (!this.#isWatched(arm.name)) continue;
      this.#connection.prepare(`UPDATE ${armTable} SET version = ? WHERE id = ?`).run(version, arm.id);
    }
  }
}
