import { hostname } from "node:os";
import { RocketError } from "../../../protocol/index.ts";
import { type Clock, systemClock } from "../../../server/index.ts";
import { retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { armInSlices } from "./arm-in-slices.ts";
import { armTable, migrationTable } from "./names.ts";
import { dropTriggers } from "./removal.ts";
import { countSegments } from "./segments.ts";
import { inSlices, type SliceOptions } from "./slices.ts";
import { hasTables } from "./tables.ts";
import { inWrite, withWriter } from "./write-transaction.ts";

/** Who has the triggers off. */
export interface Migration {
  readonly processId: number;
  readonly host: string;
}

/** A journal whose triggers are off. */
export interface PausedJournal {
  /**
   * Puts the triggers back on the tables that had them. Each gets a reset in the journal: whoever follows it gets a
   * fresh 200.
   *
   * @throws RocketError `database-busy`, `database-missing`, `database-invalid`, `journal-readonly`
   */
  resume(): Promise<void>;
}

/** False where it is sure that the process has ended: it was of this machine, and is no more. */
export function isRunning({ processId, host }: Migration): boolean {
  if (host !== hostname()) return true;
  try {
    return process.kill(processId, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The migration that runs, inside the caller's transaction; one whose process was killed doesn't. */
export function readMigration(connection: Connection): Migration | undefined {
  const [table] = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?").all(migrationTable);
  if (!table) return undefined;
  const [row] = connection.prepare(`SELECT process, host FROM ${migrationTable}`).all();
  const migration = { processId: Number(row?.[0]), host: String(row?.[1]) };
  return row && isRunning(migration) ? migration : undefined;
}

/** Removes what a migration left that was killed. */
export function forgetMigration(connection: Connection): void {
  connection.exec(`DROP TABLE IF EXISTS ${migrationTable}`);
}

/** A migration in words for a person. */
export function migrationRuns({ processId, host }: Migration): string {
  if (host === hostname()) return `"rocket migrate" is running (process ${processId})`;
  return `"rocket migrate" is running (process ${processId} of host ${host}; if not, drop the table ${migrationTable})`;
}

/** @throws RocketError `journal-migrating` where a migration runs */
export function refuseInMigration(connection: Connection): void {
  const migration = readMigration(connection);
  if (migration) {
    throw new RocketError("journal-migrating", `${migrationRuns(migration)}: try again when it has ended.`);
  }
}

/** Notes who migrates, and gives the tables that had triggers. */
function begin(connection: Connection): string[] {
  refuseInMigration(connection);
  const live = `SELECT name FROM ${armTable} WHERE NOT retired`;
  // Where a start is still on its way, nobody follows anything: it begins anew.
  const isFollowed = hasTables(connection) && countSegments(connection) > 0;
  const names = isFollowed ? connection.prepare(live).all() : [];
  // A new table each time: the schema's version tells servers of it.
  forgetMigration(connection);
  connection.exec(`CREATE TABLE ${migrationTable} (process INTEGER, host TEXT)`);
  connection.prepare(`INSERT INTO ${migrationTable} (process, host) VALUES (?, ?)`).run(process.pid, hostname());
  return names.map(([name]) => String(name));
}

/** Notes that this process migrates, then takes the triggers off. */
async function pause(connection: Connection, options: SliceOptions): Promise<string[]> {
  const names = await retryWhenBusy(() => inWrite(connection, () => begin(connection)), options);
  await inSlices(connection, options, (mayGoOn) => dropTriggers(connection, mayGoOn));
  return names;
}

/** Puts the triggers back, then has servers take over. */
async function resume(connection: Connection, names: readonly string[], options: SliceOptions): Promise<void> {
  const isWatched = (name: string): boolean => names.includes(name);
  if (names.length > 0) await armInSlices(connection, isWatched, options);
  await retryWhenBusy(() => inWrite(connection, () => forgetMigration(connection)), options);
  if (names.length > 0) await armInSlices(connection, isWatched, options);
}

/**
 * Takes Rocket's triggers off a database, for a change of its schema that they stand in the way of. The journal's
 * history stays, and running servers leave the triggers off until {@link PausedJournal.resume}, or until this process
 * has ended.
 *
 * @throws RocketError `database-missing`, `database-invalid`, `database-busy`, `journal-migrating`, `journal-readonly`
 */
export async function pauseJournal(path: string, options: { readonly clock?: Clock } = {}): Promise<PausedJournal> {
  const all = { clock: options.clock ?? systemClock, isEager: true };
  const names = await withWriter(path, all, (connection) => pause(connection, all));
  return { resume: () => withWriter(path, all, (connection) => resume(connection, names, all)) };
}
