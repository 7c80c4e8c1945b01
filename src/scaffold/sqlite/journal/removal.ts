import type { Connection } from "../connection.ts";
import type { SqlValue } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import { answerTable, journalTable, migrationTable, segmentTable } from "./names.ts";
import { sizeOf } from "./rows.ts";
import { inSlices, type MayGoOn, type SliceOptions } from "./slices.ts";
import { columnsOf, rocketTables, rocketTriggers } from "./tables.ts";

/** How much of a table is removed at once, in rows and in bytes. */
const atOnce = { rows: 1_000, bytes: 256 * 1024 } as const;
/** A table has about so many. */
const triggersPerStep = 8;

/** Drops triggers; false where some are left for the next slice. */
export function dropTriggers(connection: Connection, mayGoOn: MayGoOn): boolean {
  for (const [at, name] of rocketTriggers(connection).entries()) {
    if (!mayGoOn(Math.floor(at / triggersPerStep))) return false;
    connection.exec(`DROP TRIGGER ${quoteName(name)}`);
  }
  return true;
}

/** Removes a table's oldest rows: to drop a large one at once takes long. False where there are none. */
function removeOldest(connection: Connection, name: string): boolean {
  const table = quoteName(name);
  let bytes = 0;
  let last: SqlValue | undefined;
  const add = ([rowid = null, size]: SqlValue[]): boolean => {
    last = rowid;
    bytes += Number(size);
    return bytes < atOnce.bytes;
  };
  const size = sizeOf([...columnsOf(connection, name)].map(quoteName));
  connection.prepare(`SELECT rowid, ${size} FROM ${table} ORDER BY rowid LIMIT ${atOnce.rows}`).each(add);
  if (last === undefined) return false;
  connection.prepare(`DELETE FROM ${table} WHERE rowid <= ?`).run(last);
  return true;
}

/** One slice: of one kind, so that what each holds of the lock is bounded. True once nothing is left. */
function removeSome(connection: Connection, mayGoOn: MayGoOn): boolean {
  if (rocketTriggers(connection).length > 0) {
    dropTriggers(connection, mayGoOn);
    return false;
  }
  // What says that somebody migrates is theirs.
  const tables = rocketTables(connection).filter((name) => name !== migrationTable);
  for (const name of [journalTable, answerTable]) {
    if (tables.includes(name) && removeOldest(connection, name)) return false;
  }
  for (const name of tables) connection.exec(`DROP TABLE ${quoteName(name)}`);
  return true;
}

/**
 * Removes everything that Rocket added: its triggers and its tables, those of older versions too. The segments go first,
 * by which servers notice that they are not to put anything back; the tables that triggers write to go last.
 *
 * @param mayRemove - asked in the first write transaction: whether anything is removed at all
 * @throws RocketError `database-busy`
 */
export async function removeInSlices(
  connection: Connection,
  options: SliceOptions,
  mayRemove: (connection: Connection) => boolean,
): Promise<void> {
  let isAllowed: boolean | undefined;
  await inSlices(connection, options, (mayGoOn) => {
    if (isAllowed) return removeSome(connection, mayGoOn);
    if (!mayRemove(connection)) return true;
    connection.exec(`DROP TABLE IF EXISTS ${segmentTable}`);
    isAllowed = true;
    return false;
  });
}
