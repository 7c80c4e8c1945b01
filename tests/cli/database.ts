import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const python = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], 10); c.executescript(sys.argv[2])";
const node =
  "const d = new (require('better-sqlite3'))(process.argv[1], { timeout: 10000 }); d.exec(process.argv[2]); d.close()";

/** Programs that run SQL on a database, the one that people have at hand first. */
const programs: readonly (readonly [file: string, ...args: readonly string[]])[] = [
  ["sqlite3", "-bail", "-cmd", ".timeout 10000"],
  ["python3", "-c", python],
  [process.execPath, "-e", node],
];

/** Runs SQL in another process, by the first of sqlite3, Python and Node that is installed. */
export function runSql(database: string, sql: string): void {
  for (const [file, ...args] of programs) {
    const { error, status, stderr } = spawnSync(file, [...args, database, sql], { encoding: "utf8" });
    if (error !== undefined) continue;
    if (status !== 0) throw new Error(`${file}: ${stderr}`);
    return;
  }
}

/** A database with two tables and a few rows. Gives its path. */
export function createDatabase(): string {
  const path = join(temporaryFolder(), "music.db");
  runSql(
    path,
    `PRAGMA journal_mode = WAL;
     CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL, genre TEXT);
     CREATE TABLE songs (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artists(id), title TEXT);
     INSERT INTO artists (name, genre) VALUES ('Can', 'krautrock'), ('Neu!', 'krautrock'), ('Low', 'slowcore');`,
  );
  return path;
}
