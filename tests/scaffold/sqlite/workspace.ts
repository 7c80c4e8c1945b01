import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type Connection, openConnection } from "../../../src/scaffold/sqlite/driver.ts";
import {
  createSqliteJournal,
  type SqliteJournal,
  type SqliteJournalOptions,
} from "../../../src/scaffold/sqlite/journal.ts";
import type { Batch } from "../../../src/server/index.ts";
import { plainFormat } from "./plain-format.ts";

/** A journal whose batches are collected. */
export interface Watched {
  readonly journal: SqliteJournal;
  readonly batches: Batch[];
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** What the batches said since it was asked last: `create /t/number 1`. Brings the tail up to date first. */
  news(): Promise<string[]>;
}

/** A path for a database in a folder that goes away with the test. */
export function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-sqlite-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "data.db");
}

/** A connection that is closed with the test. */
export function connect(path: string, sql = ""): Connection {
  const connection = openConnection(path, { create: true });
  onTestFinished(() => connection.close());
  connection.exec(sql);
  return connection;
}

/** A journal on a database that is closed with the test; its tail is listened to. */
export async function watch(path: string, options: Partial<SqliteJournalOptions> = {}): Promise<Watched> {
  const errors: unknown[] = [];
  const journal = await createSqliteJournal({
    path,
    format: plainFormat,
    // Tests ask what is so now.
    quietMs: 0,
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => journal.close());
  const batches: Batch[] = [];
  journal.tail((batch) => batches.push(batch));
  return {
    journal,
    batches,
    errors,
    async news() {
      await journal.poll();
      return batches.splice(0).flatMap((batch) => {
        const lost = batch.lost ? ["lost"] : [];
        return [
          ...lost,
          ...batch.changes.map(({ kind, collection, url }) => `${kind} ${decodeURI(url || collection)}`),
        ];
      });
    },
  };
}

/** Rows of a query, each as one text. */
export function ask(connection: Connection, sql: string): string[] {
  return connection
    .prepare(sql)
    .all()
    .map((row) => row.join("|"));
}

const childScript = `
const path = process.argv[1];
const open = () => {
  try { return new (require("better-sqlite3"))(path, { timeout: 0 }); } catch {}
  return new (require("node:sqlite").DatabaseSync)(path);
};
const database = open();
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  try { database.exec(line); console.log("ok"); } catch (error) { console.log(error.message); }
});
`;

/** Another process that has the database open and runs SQL, one line at a time. */
export class OtherProcess {
  readonly #child: ChildProcess;
  readonly #answers: ((line: string) => void)[] = [];

  constructor(path: string) {
    const child = spawn(process.execPath, ["-e", childScript, path], { stdio: ["pipe", "pipe", "inherit"] });
    this.#child = child;
    let rest = "";
    child.stdout.on("data", (data: Buffer) => {
      const lines = (rest + data.toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#answers.shift()?.(line);
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
  }

  /** Runs SQL; gives "ok" or the error's message. */
  run(sql: string): Promise<string> {
    return new Promise((resolve) => {
      this.#answers.push(resolve);
      this.#child.stdin?.write(`${sql}\n`);
    });
  }

  /** Ends it as the kernel would. */
  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
