import type { Client } from "pg";
import type { Random } from "../../src/testing/index.ts";
import type { TestServer } from "../scaffold/postgres/server.ts";
import { CommitLog } from "./commit-log.ts";
import type { Transaction } from "./history.ts";
import { readTransactions } from "./journal-history.ts";
import type { KillKind, KillWeights } from "./kills.ts";
import { PostgresSession } from "./postgres-session.ts";
import { drawPostgresStatement, postgresSchema } from "./postgres-statements.ts";
import type { RunDatabase } from "./run-database.ts";

/** What a server needs for the runs: a log that can be read. */
export const postgresFlags: readonly string[] = ["wal_level=logical"];

const sessions = 3;
const begin = "BEGIN";

/** A session that waits for the right to write to the journal, in a tick. */
interface Ticking {
  readonly pid: number;
  /** The server that it is of. */
  readonly server: number;
}

/** A PostgreSQL database with two processes that serve it, and sessions that write to it with plain SQL. */
export class PostgresRunDatabase implements RunDatabase {
  readonly servers = 2;
  readonly begin = begin;
  readonly sessions = sessions;
  readonly hasPositions = false;
  readonly isDurable: boolean;
  readonly kills: KillWeights = {
    ...{ server: 6, sequencer: 4, tick: 4, sessions: 3, writer: 3 },
    ...{ backend: 2, postgres: 2, postmaster: 1 },
  };
  readonly #server: TestServer;
  readonly #name: string;
  readonly #sessions: readonly PostgresSession[];
  readonly #log: CommitLog;

  private constructor(server: TestServer, name: string, isDurable: boolean, log: CommitLog) {
    this.#server = server;
    this.#name = name;
    this.isDurable = isDurable;
    this.#log = log;
    this.#sessions = Array.from({ length: sessions }, () => new PostgresSession(() => server.connectWriter(name)));
  }

  /**
   * Makes the database. The server needs `wal_level=logical`.
   *
   * @param isDurable - whether a commit is on disk before it is answered
   */
  static async make(server: TestServer, isDurable: boolean): Promise<PostgresRunDatabase> {
    const name = await server.database();
    const client = await server.connectWriter(name);
    await client.query(`ALTER DATABASE ${name} SET synchronous_commit = ${isDurable ? "on" : "off"}`);
    await client.query(postgresSchema);
    const log = await CommitLog.begin(client, name);
    await client.end();
    return new PostgresRunDatabase(server, name, isDurable, log);
  }

  target(nth: number): string {
    return `${this.#server.url(this.#name)}?application_name=rocket-${nth}`;
  }

  drawStatement(random: Random, version: number): string {
    return drawPostgresStatement(random, version);
  }

  run(all: readonly string[], nth: number): Promise<void> {
    return this.#sessions[nth]?.run(all) ?? Promise.resolve();
  }

  async killWriter(nth: number): Promise<void> {
    const pid = await this.#sessions[nth]?.processId();
    if (pid !== undefined)
      await this.#asAdministrator((client) => client.query("SELECT pg_terminate_backend($1)", [pid]));
  }

  async kill(kind: KillKind, random: Random): Promise<void> {
    if (kind === "tick") {
      await this.#inTick(({ pid }, client) => client.query("SELECT pg_terminate_backend($1)", [pid]));
    } else if (kind === "sessions") {
      for (const pid of await this.#backends()) {
        if (random.chance(0.5))
          await this.#asAdministrator((client) => client.query("SELECT pg_terminate_backend($1)", [pid]));
      }
    } else if (kind === "backend") {
      await this.#killBackend(random);
    } else {
      await this.#server.crash(kind === "postmaster" ? "SIGKILL" : "SIGQUIT");
      await this.#server.start();
    }
    await this.#server.untilReady();
  }

  killSequencer(kill: (server: number) => Promise<void>): Promise<void> {
    return this.#inTick(({ server }) => kill(server));
  }

  async end(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.end()));
  }

  readTransactions(): Promise<Transaction[]> {
    return readTransactions(this.target(0));
  }

  async compare(
    transactions: readonly Transaction[],
  ): Promise<{ readonly records: number; readonly violations: string[] }> {
    const client = await this.#server.connectWriter(this.#name);
    try {
      return await this.#log.compare(client, transactions);
    } finally {
      await client.end();
    }
  }

  async #asAdministrator<Result>(task: (client: Client) => Promise<Result>): Promise<Result> {
    const client = await this.#server.connectWriter("postgres");
    try {
      return await task(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  /** Ends a backend as a crash of it does, and waits until all others have ended with it. */
  async #killBackend(random: Random): Promise<void> {
    const witness = await this.#server.connectWriter("postgres");
    const other = await this.#server.connectWriter("postgres");
    const ended = new Promise<void>((resolve) => witness.once("end", resolve));
    const { rows } = await other.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    process.kill(random.pick([...(await this.#backends()), ...rows.map(({ pid }) => pid)]), "SIGKILL");
    await ended;
    await other.end().catch(() => undefined);
  }

  /** The servers' backends. */
  #backends(): Promise<number[]> {
    return this.#asAdministrator(async (client) => {
      const sql =
        "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'rocket%' ORDER BY pid";
      const { rows } = await client.query<{ pid: number }>(sql, [this.#name]);
      return rows.map(({ pid }) => pid);
    });
  }

  /** Has a tick wait in the middle, and runs `task` meanwhile. */
  async #inTick(task: (ticking: Ticking, client: Client) => Promise<unknown>): Promise<void> {
    const holder = await this.#server.connectWriter(this.#name);
    const observer = await this.#server.connectWriter(this.#name);
    try {
      await holder.query("BEGIN; LOCK TABLE rocket.journal IN SHARE MODE");
      await observer.query("INSERT INTO brackets (edge) VALUES ('alone')");
      await task(await this.#ticking(observer), observer);
    } finally {
      await holder.end().catch(() => undefined);
      await observer.end().catch(() => undefined);
    }
  }

  async #ticking(client: Client): Promise<Ticking> {
    const sql = `SELECT a.pid, substr(a.application_name, 8)::int AS server FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
      WHERE l.relation = 'rocket.journal'::regclass AND NOT l.granted AND a.query LIKE '%rocket.tick%'`;
    for (;;) {
      const { rows } = await client.query<Ticking>(sql);
      if (rows[0]) return rows[0];
    }
  }
}
