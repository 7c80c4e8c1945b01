import type { Connection } from "../connection.ts";
import { quoteName } from "../sql-text.ts";
import { answerTable, armTable, cacheTable, isRocketTrigger, journalTable, segmentTable } from "./names.ts";

/** How many values an image may have: two images and the rest must fit into one row of SQLite's 2,000 columns. */
export const maxWidth = 990;

/**
 * The journal's tables. The images' columns have no type, so that each value keeps its own. Positions need no
 * AUTOINCREMENT: the last row is never trimmed, and its table could not be removed again.
 */
const createTables = `
CREATE TABLE IF NOT EXISTS ${journalTable} (position INTEGER PRIMARY KEY, arm, has, chk DEFAULT (random() & 2147483647));
CREATE TABLE IF NOT EXISTS ${cacheTable} (arm, id, done, PRIMARY KEY (arm, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ${segmentTable} (id INTEGER PRIMARY KEY, name TEXT UNIQUE, start);
CREATE TABLE IF NOT EXISTS ${armTable} (id INTEGER PRIMARY KEY, name TEXT, retired, version, description TEXT);
CREATE TABLE IF NOT EXISTS ${answerTable} (id INTEGER PRIMARY KEY, key TEXT UNIQUE, digest, made, status, fields, body, event);
`;

/** Whether the tables are there that triggers write to and positions are read from. */
export function hasTables(connection: Connection): boolean {
  const found = connection
    .prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?, ?, ?)")
    .all(journalTable, cacheTable, segmentTable, armTable);
  return found[0]?.[0] === 4;
}

/** Makes the journal's tables where they are missing. */
export function makeTables(connection: Connection): void {
  connection.exec(createTables);
}

/** The names of the triggers that Rocket made. */
export function rocketTriggers(connection: Connection): string[] {
  return connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    .all()
    .map(([name]) => String(name))
    .filter(isRocketTrigger);
}

/** How many values the journal's images have room for. */
export function readWidth(connection: Connection): number {
  const columns = connection.prepare("SELECT name FROM pragma_table_info(?, 'main')").all(journalTable);
  return columns.filter(([name]) => /^n\d+$/.test(String(name))).length;
}

/** Makes room for images of `width` values. */
export function widenTables(connection: Connection, width: number): void {
  for (let place = readWidth(connection); place < width; place += 1) {
    connection.exec(`ALTER TABLE ${journalTable} ADD COLUMN n${place}`);
    connection.exec(`ALTER TABLE ${journalTable} ADD COLUMN o${place}`);
    connection.exec(`ALTER TABLE ${cacheTable} ADD COLUMN c${place}`);
  }
}

/** Removes everything that Rocket added: its triggers and its tables, those of older versions too. */
export function removeAll(connection: Connection): void {
  for (const name of rocketTriggers(connection)) connection.exec(`DROP TRIGGER ${quoteName(name)}`);
  const tables = connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 8) = '_rocket_'")
    .all();
  for (const [name] of tables) connection.exec(`DROP TABLE ${quoteName(String(name))}`);
}
