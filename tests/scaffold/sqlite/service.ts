import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { inject, onTestFinished } from "vitest";
import { createScaffold, type Scaffold, type ScaffoldOptions } from "../../../src/scaffold/index.ts";
import { type Send, sendTo } from "../answer.ts";

/** A small music database. */
export const musicSql = `
  CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, genre TEXT DEFAULT 'rock', year INTEGER,
    active BOOLEAN NOT NULL DEFAULT 1, CHECK (year > 1000));
  CREATE TABLE albums (id INTEGER PRIMARY KEY AUTOINCREMENT, artist_id INTEGER NOT NULL REFERENCES artists,
    title TEXT NOT NULL);
  INSERT INTO artists (id, name, genre, year) VALUES (1, 'Kraftwerk', 'electronic', 1970), (2, 'Can', 'rock', 1968),
    (3, 'Neu!', 'rock', 1971), (4, 'Faust', 'rock', NULL);
  INSERT INTO albums (artist_id, title) VALUES (1, 'Autobahn'), (2, 'Tago Mago');
`;

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-rest-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file in a folder that goes when the test ends. */
export function temporaryFile(name = "test.db"): string {
  return join(temporaryFolder(), name);
}

/** A scaffold over a database of its own. */
export interface Service {
  readonly path: string;
  readonly scaffold: Scaffold;
  /** Another program's connection. */
  readonly other: Database.Database;
  /** What `onError` was told. */
  readonly errors: unknown[];
  readonly send: Send;
}

/** Options of a scaffold, and what only tests set. */
export interface TestOptions extends Partial<ScaffoldOptions> {
  readonly mainReadMs?: number;
  /** Makes the other program's connection ready. */
  readonly prepare?: (other: Database.Database) => void;
}

/** Makes a database from SQL and serves it until the test ends. */
export async function serve(sql: string, { prepare, ...options }: TestOptions = {}): Promise<Service> {
  const path = options.path ?? temporaryFile();
  const other = new Database(path);
  other.pragma("journal_mode = WAL");
  prepare?.(other);
  other.exec(sql);
  const errors: unknown[] = [];
  const mainReadMs = inject("mainReadMs");
  const scaffold = await createScaffold({
    // On a busy machine reads take long that are short.
    ...{ path, readTimeoutMs: 60_000, onError: (error: unknown) => errors.push(error) },
    ...(mainReadMs === undefined ? {} : { mainReadMs }),
    ...options,
  });
  onTestFinished(async () => {
    other.close();
    await scaffold.close();
  });
  return { path, scaffold, other, errors, send: sendTo(scaffold) };
}
