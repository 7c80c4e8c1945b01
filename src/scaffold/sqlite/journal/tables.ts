import type { Connection } from "../connection.ts";
import { answerTable, armTable, cacheTable, isRocketTrigger, journalTable, segmentTable } from "./names.ts";

/** How many values an image may have: two images and the rest must fit into one row of SQLite's 2,000 columns. */
export const maxWidth = 990;

/**
 * The journal's tables. The images' columns have no type, so that each value keeps its own. Positions need no
 * AUTOINCREMENT: the last row is never trimmed, and its table could not be removed again.
 */
function createTables(width: number): string {
  const places = Array.from({ length: width }, (_, place) => place);
  const images = places.map((place) => `, n${place}, o${place}`).join("");
  const values = places.map((place) => `, c${place}`).join("");
  return `
CREATE TABLE IF NOT EXISTS ${journalTable} (position INTEGER PRIMARY KEY, arm, has, chk DEFAULT (random() & 2147483647)${images});
CREATE TABLE IF NOT EXISTS ${cacheTable} (arm, id, done${values}, PRIMARY KEY (arm, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ${segmentTable} (id INTEGER PRIMARY KEY, name TEXT UNIQUE, start);
CREATE TABLE IF NOT EXISTS ${armTable} (id INTEGER PRIMARY KEY, name TEXT, retired, version, description TEXT);
CREATE TABLE IF NOT EXISTS ${answerTable} (id INTEGER PRIMARY KEY, key TEXT UNIQUE, digest, made, status, fields, body, event);
`;
}

/** Whether the tables are there that triggers write to and positions are read from. */
export function hasTables(connection: Connection): boolean {
  const found = connection
    .prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN (?, ?, ?, ?)")
    .all(journalTable, cacheTable, segmentTable, armTable);
  return found[0]?.[0] === 4;
}

/** Makes the journal's tables where they are missing, with images of `width` values. */
export function makeTables(connection: Connection, width: number): void {
  connection.exec(createTables(width));
}

/** The names of the triggers that Rocket made. */
export function rocketTriggers(connection: Connection): string[] {
  return connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    .all()
    .map(([name]) => String(name))
    .filter(isRocketTrigger);
}

/** The names of a table's columns. */
export function columnsOf(connection: Connection, table: string): Set<string> {
  const columns = connection.prepare("SELECT name FROM pragma_table_info(?, 'main')").all(table);
  return new Set(columns.map(([name]) => String(name)));
}

/** How many values the journal's images have room for. */
export function readWidth(connection: Connection): number {
  return [...columnsOf(connection, journalTable)].filter((name) => /^n\d+$/.test(name)).length;
}

/**
 * Makes room for images of `width` values, or for as many as can be made at once: with each new column SQLite reads the
 * whole schema anew. False where there is more to be made.
 */
export function widenTables(connection: Connection, width: number): boolean {
  const [journal, cache] = [columnsOf(connection, journalTable), columnsOf(connection, cacheTable)];
  // To count them means to look through the whole schema.
  let left: number | undefined;
  for (let place = 0; place < width; place += 1) {
    // A place counts once its column n is there: that comes last.
    for (const [table, column, columns] of [
      [cacheTable, `c${place}`, cache],
      [journalTable, `o${place}`, journal],
      [journalTable, `n${place}`, journal],
    ] as const) {
      if (columns.has(column)) continue;
      left ??= Math.ceil(1_000 / (1 + rocketTriggers(connection).length));
      if (left-- === 0) return false;
      connection.exec(`ALTER TABLE ${table} ADD COLUMN ${column}`);
    }
  }
  return true;
}

/** People's accounts are no part of the journal: they stay when that goes. */
const userTables: ReadonlySet<string> = new Set(["_rocket_users", "_rocket_sessions", "_rocket_keys"]);

/** The names of the tables that Rocket made for the journal, also those of older versions. */
export function rocketTables(connection: Connection): string[] {
  return connection
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, 8) = '_rocket_'")
    .all()
    .map(([name]) => String(name))
    .filter((name) => !userTables.has(name));
}
