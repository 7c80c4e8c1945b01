import type { Random } from "../../src/testing/index.ts";
import type { Transaction } from "./history.ts";
import { readTransactions } from "./journal-history.ts";
import { drawStatement } from "./sql-statements.ts";
import { SqlWriter } from "./sql-writer.ts";

/** A database that processes serve and that somebody writes to beside them. */
export interface RunDatabase {
  /** What `rocket serve` is given. */
  readonly target: string;
  /** How many processes serve it. */
  readonly servers: number;
  readonly begin: string;
  /** Whether a write's answer has its position always: the journal is the server's own. */
  readonly hasPositions: boolean;
  /** One statement. @param version - the first of the versions that are its own */
  drawStatement(random: Random, version: number): string;
  /** Runs statements beside the servers; one that fails leaves the others. */
  run(statements: readonly string[]): Promise<void>;
  /** Ends who writes beside the servers, within its transaction. */
  killWriter(): Promise<void>;
  /** Does harm to the database itself; it is there again afterwards. @param nth - how often that was done before */
  harm(random: Random, nth: number): Promise<void>;
  end(): Promise<void>;
  /** What was committed, once nobody writes any more. */
  readTransactions(): Promise<Transaction[]>;
}

/** A SQLite file, with another program beside its server. @param writer - one of `installedWriters` */
export function sqliteDatabase(path: string, writer: string): RunDatabase {
  const sql = new SqlWriter(writer, path);
  return {
    target: path,
    servers: 1,
    begin: "BEGIN IMMEDIATE",
    hasPositions: true,
    drawStatement,
    run: (statements) => sql.run(statements),
    killWriter: () => sql.killAndRestart(),
    harm: () => Promise.resolve(),
    end: () => sql.end(),
    readTransactions: () => readTransactions(path),
  };
}
