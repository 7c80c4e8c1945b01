import type { Connection } from "../connection.ts";
import type { Schema, Table } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import type { TableDetails } from "../table-details.ts";
import { type Arm, type ArmPlan, type ArmTask, describe, liveArms } from "./arm-plan.ts";
import { armTable, isRocketTrigger, journalTable } from "./names.ts";
import { shapeOf } from "./shape.ts";
import type { MayGoOn } from "./slices.ts";
import { makeTables, maxWidth, widenTables } from "./tables.ts";
import { triggersOf } from "./triggers.ts";
import type { IsWatched } from "./watched.ts";

/** What came of arming. */
export interface Armed {
  readonly schema: Schema;
  /** Tables that can't be watched, and why. */
  readonly failures: ReadonlyMap<string, unknown>;
  /** False where tables are left for another time. */
  readonly isComplete: boolean;
}

/** How many columns more than are needed the journal is made with: it is costly to add them later. */
const spareWidth = 8;

function schemaVersion(connection: Connection): number {
  return Number(connection.prepare("PRAGMA schema_version").all()[0]?.[0]);
}

/**
 * Puts triggers on the watched tables where they are missing or not as they should be. Each table that got new ones, or
 * went away, gets a reset in the journal: what happened to it until now may be missing there.
 */
export class Armer {
  readonly #connection: Connection;
  readonly #isWatched: IsWatched;
  readonly #unwatched: ReadonlyMap<string, unknown>;
  /** What is left to be done. */
  #plan: ArmPlan;
  readonly #failures: Map<string, unknown> = new Map();
  #hasChanged = false;

  /**
   * @param plan - read at the schema that it is carried out at
   * @param unwatched - the tables that are known to be none that can be watched
   */
  constructor(
    connection: Connection,
    isWatched: IsWatched,
    plan: ArmPlan,
    unwatched: ReadonlyMap<string, unknown> = new Map(),
  ) {
    this.#connection = connection;
    this.#isWatched = isWatched;
    this.#plan = plan;
    this.#unwatched = unwatched;
  }

  /**
   * Carries the plan out, or a slice of what is left of it, inside the caller's write transaction; `undefined` where the
   * schema is not the plan's any more. Where that transaction fails, so has the plan.
   */
  carryOut(mayGoOn: MayGoOn = () => true): Armed | undefined {
    const connection = this.#connection;
    const plan = this.#plan;
    if (schemaVersion(connection) !== plan.schema.version) return undefined;
    const widths = plan.tasks.map(({ details }) => shapeOf(details).width).filter((width) => width <= maxWidth);
    const width = Math.max(0, ...widths);
    makeTables(connection, width + spareWidth);
    let done = 0;
    let armed = 0;
    const isWide = widenTables(connection, width);
    while (isWide && done < plan.tasks.length && mayGoOn(armed)) {
      const task = plan.tasks[done++];
      if (task && this.#arm(task, !plan.isFirst)) armed += 1;
    }
    for (const arm of plan.renumbered) this.#reset(arm.id);
    for (const arm of plan.gone) this.#retire(arm);
    const version = schemaVersion(connection);
    if (this.#hasChanged || plan.isUnsettled) this.#settle(version);
    const schema = { ...plan.schema, version };
    this.#plan = { ...plan, schema, tasks: plan.tasks.slice(done), renumbered: [], gone: [] };
    return { schema, failures: this.#failures, isComplete: isWide && this.#plan.tasks.length === 0 };
  }

  /** Gives a table new triggers; false where it can't be watched. */
  #arm({ details, former, triggers }: ArmTask, isReset: boolean): boolean {
    const connection = this.#connection;
    connection.exec("SAVEPOINT rocket_arm");
    try {
      for (const name of triggers) this.#dropTrigger(name);
      const id = this.#addArm(details.table, false);
      this.#createTriggers(details, id);
      if (former) this.#retire(former, false);
      if (isReset) this.#reset(id);
      this.#hasChanged = true;
      return true;
    } catch (error) {
      connection.exec("ROLLBACK TO rocket_arm");
      this.#failures.set(details.table.name, error);
      for (const name of triggers) this.#dropTrigger(name);
      if (former) this.#retire(former, false);
      // Somebody may have begun to follow it.
      const isNews = former !== undefined || !this.#unwatched.has(details.table.name);
      if (isReset && isNews) this.#reset(this.#addArm(details.table, true));
      return false;
    } finally {
      connection.exec("RELEASE rocket_arm");
    }
  }

  #addArm(table: Table, isRetired: boolean): number {
    const [row] = this.#connection.prepare(`SELECT coalesce(max(id), 0) + 1 FROM ${armTable}`).all();
    const id = Number(row?.[0]);
    this.#connection
      .prepare(`INSERT INTO ${armTable} (id, name, retired, version, description) VALUES (?, ?, ?, 0, ?)`)
      .run(id, table.name, isRetired ? 1 : 0, describe(table));
    return id;
  }

  #createTriggers(details: TableDetails, id: number): void {
    const connection = this.#connection;
    const { width } = shapeOf(details);
    if (width > maxWidth) throw new RangeError(`It has ${width} columns; at most ${maxWidth} can be watched.`);
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
      const triggers = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").all();
      for (const name of triggers.map(([one]) => String(one))) if (!isRocketTrigger(name)) this.#dropTrigger(name);
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
    connection.prepare(`EXPLAIN INSERT INTO ${table} DEFAULT VALUES`);
    connection.prepare(`EXPLAIN UPDATE ${table} SET ${name} = ${name}`);
    connection.prepare(`EXPLAIN DELETE FROM ${table}`);
  }

  #dropTrigger(name: string): void {
    this.#connection.exec(`DROP TRIGGER IF EXISTS ${quoteName(name)}`);
  }

  #retire(arm: Arm, isReset = true): void {
    this.#hasChanged = true;
    this.#connection.prepare(`UPDATE ${armTable} SET retired = 1 WHERE id = ?`).run(arm.id);
    if (isReset) this.#reset(arm.id);
  }

  #reset(arm: number): void {
    this.#connection.prepare(`INSERT INTO ${journalTable} (arm, has) VALUES (?, 0)`).run(arm);
  }

  #settle(version: number): void {
    const watched = liveArms(this.#connection).filter(({ name }) => this.#isWatched(name));
    const ids = watched.map(({ id }) => id).join(", ");
    this.#connection.exec(`UPDATE ${armTable} SET version = ${version} WHERE id IN (${ids})`);
  }
}
