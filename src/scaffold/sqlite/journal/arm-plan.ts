import type { Connection } from "../connection.ts";
import { readSchema } from "../introspect.ts";
import type { Schema, Table } from "../schema.ts";
import { readDetails, type TableDetails } from "../table-details.ts";
import { armTable, isRocketTrigger } from "./names.ts";
import { countSegments } from "./segments.ts";
import { hasTables } from "./tables.ts";
import { triggersOf } from "./triggers.ts";
import type { IsWatched } from "./watched.ts";

/** A set of triggers on one table, as the database remembers it. */
export interface Arm {
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

/** A table that needs new triggers. */
export interface ArmTask {
  readonly details: TableDetails;
  readonly former: Arm | undefined;
  /** Rocket's triggers that are on it. */
  readonly triggers: readonly string[];
}

/** What has to be done about the watched tables' triggers at one state of the schema. */
export interface ArmPlan {
  readonly schema: Schema;
  readonly tasks: readonly ArmTask[];
  /** Tables whose rows may have other rowids than before. */
  readonly renumbered: readonly Arm[];
  /** Tables that are gone. */
  readonly gone: readonly Arm[];
  /** Arms that were last checked at another state of the schema. */
  readonly isUnsettled: boolean;
  /** Whether no journal was ever followed here: nobody has a position. */
  readonly isFirst: boolean;
}

/** The arms that are in use. */
export function liveArms(connection: Connection): Arm[] {
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

function readTriggers(connection: Connection): Map<string, Trigger[]> {
  const byTable = new Map<string, Trigger[]>();
  const rows = connection
    .prepare("SELECT rowid, name, lower(tbl_name), sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY rowid")
    .all();
  for (const [order, name, table, sql] of rows) {
    const trigger = { order: Number(order), name: String(name), table: String(table), sql: String(sql) };
    byTable.set(trigger.table, [...(byTable.get(trigger.table) ?? []), trigger]);
  }
  return byTable;
}

/** A table as the journal remembers it: nothing of it depends on the program that looks. */
export function describe({ name, columns, identity, foreignKeys, integerKey }: Table): string {
  const keys = foreignKeys.map(({ name: _, ...key }) => key);
  return JSON.stringify({ name, columns, identity, foreignKeys: keys, integerKey });
}

function isIntact(details: TableDetails, arm: Arm, triggers: readonly Trigger[]): boolean {
  if (arm.description !== describe(details.table)) return false;
  const expected = triggersOf(details, arm.id);
  const ours = triggers.filter(({ name }) => isRocketTrigger(name));
  const found = ours.map(({ name, sql }) => [name, sql]);
  if (JSON.stringify(found) !== JSON.stringify([...expected])) return false;
  // The newest trigger fires first, and ours must be first.
  const oldest = Math.min(...ours.map(({ order }) => order));
  return triggers.every(({ name, order }) => isRocketTrigger(name) || order < oldest);
}

/**
 * Finds out what has to be done. Outside of a transaction each look takes no lock but its own short one; whether the
 * schema is still the plan's is seen when the plan is carried out.
 */
export function planArms(connection: Connection, isWatched: IsWatched): ArmPlan {
  const schema = readSchema(connection);
  isWatched.learn?.(schema);
  const hasJournal = hasTables(connection);
  const all = hasJournal ? liveArms(connection) : [];
  const arms = new Map(all.filter(({ name }) => isWatched(name)).map((arm) => [arm.name, arm]));
  const triggers = readTriggers(connection);
  const tasks: ArmTask[] = [];
  const renumbered: Arm[] = [];
  for (const details of readDetails(connection, schema, isRocketTrigger)) {
    const { table } = details;
    if (!isWatched(table.name)) continue;
    const former = arms.get(table.name);
    const own = triggers.get(table.name.toLowerCase()) ?? [];
    if (!former || !isIntact(details, former, own)) {
      tasks.push({ details, former, triggers: own.map(({ name }) => name).filter(isRocketTrigger) });
    } else if (table.identity.kind === "rowid" && former.version !== schema.version) {
      // VACUUM gives new rowids to the rows of tables without an INTEGER PRIMARY KEY, and a new `schema_version`.
      renumbered.push(former);
    }
  }
  const names = new Set([...schema.tables, ...schema.leftOut].map(({ name }) => name));
  return {
    ...{ schema, tasks, renumbered },
    gone: [...arms.values()].filter(({ name }) => !names.has(name)),
    isUnsettled: [...arms.values()].some(({ version }) => version !== schema.version),
    isFirst: !hasJournal || countSegments(connection) === 0,
  };
}
