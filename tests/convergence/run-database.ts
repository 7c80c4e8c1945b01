import type { Random } from "../../src/testing/index.ts";
import type { Transaction } from "./history.ts";
import { readTransactions } from "./journal-history.ts";
import type { KillKind, KillWeights } from "./kills.ts";
import { drawStatement } from "./sql-statements.ts";
import { SqlWriter } from "./sql-writer.ts";

/** A database that processes serve and that somebody writes to beside them. */
export interface RunDatabase {
  /** How many processes serve it. */
  readonly servers: number;
  /** How many write to it with plain SQL beside them. */
  readonly sessions: number;
  readonly begin: string;
  /** Whether a write's answer has its position always: the journal is the server's own. */
  readonly hasPositions: boolean;
  /** Whether a write that was answered without a position outlives a crash of the database. */
  readonly isDurable: boolean;
  readonly kills: KillWeights;
  /** What the nth `rocket serve` is given. */
  target(nth: number): string;
  /** One statement. @param version - the first of the versions that are its own */
  drawStatement(random: Random, version: number): string;
  /** Runs statements beside the servers; one that fails leaves the others. */
  run(statements: readonly string[], session: number): Promise<void>;
  /** Ends a session beside the servers, within its transaction. */
  killWriter(session: number): Promise<void>;
  /** Kills something of the database itself; it is there again afterwards. */
  kill(kind: KillKind, random: Random): Promise<void>;
  /** Runs `kill` while a server is giving positions. */
  killSequencer(kill: (server: number) => Promise<void>): Promise<void>;
  end(): Promise<void>;
  /** What was committed, once nobody writes any more. */
  readTransactions(): Promise<Transaction[]>;
  /** Compares that with what the database itself says, where it does. */
  compare(transactions: readonly Transaction[]): Promise<{ readonly records: number; readonly violations: string[] }>;
}

/** A SQLite file, with another program beside its server. @param writer - one of `installedWriters` */
export function sqliteDatabase(path: string, writer: string): RunDatabase {
  const sql = new SqlWriter(writer, path);
  const isNone = (): never => {
    throw new Error("A SQLite database has nothing of its own to be killed.");
  };
  return {
    servers: 1,
    sessions: 1,
    begin: "BEGIN IMMEDIATE",
    hasPositions: true,
    isDurable: true,
    kills: { server: 4, writer: 3 },
    target: () => path,
    drawStatement,
    run: (statements) => sql.run(statements),
    killWriter: () => sql.killAndRestart(),
    kill: isNone,
    killSequencer: isNone,
    end: () => sql.end(),
    readTransactions: () => readTransactions(path),
    compare: () => Promise.resolve({ records: 0, violations: [] }),
  };
}
