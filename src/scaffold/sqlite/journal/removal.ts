import type { Connection } from "../connection.ts";
import { quoteName } from "../sql-text.ts";
import { journalTable, migrationTable, segmentTable } from "./names.ts";
import { inSlices, type MayGoOn, type SliceOptions } from "./slices.ts";
import { rocketTables, rocketTriggers } from "./tables.ts";

const rowsAtOnce = 200;
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

/** Empties a table from its beginning: to drop a large one at once takes long. */
function empty(connection: Connection, name: string, mayGoOn: MayGoOn): boolean {
  const table = quoteName(name);
  const remove = connection.prepare(
    `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} ORDER BY rowid LIMIT ${rowsAtOnce})`,
  );
  for (let steps = 0; mayGoOn(steps); steps += 1) if (remove.run() < rowsAtOnce) return true;
  return false;
}

function removeSome(connection: Connection, mayGoOn: MayGoOn): boolean {
  if (!dropTriggers(connection, mayGoOn)) return false;
  // What says that somebody migrates is theirs.
  const tables = rocketTables(connection).filter((name) => name !== migrationTable);
  if (tables.includes(journalTable) && !empty(connection, journalTable, mayGoOn)) return false;
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
