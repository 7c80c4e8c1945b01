import type pg from "pg";
import { RocketError } from "../../protocol/index.ts";
import { isIdleTimeout, isReadOnly } from "./sql-state.ts";

/** A value as PostgreSQL writes it; null is null. */
export type Text = string | null;
/** A row's values, in the order of the query's columns. */
export type Row = readonly Text[];

/** What runs statements. */
export interface Session {
  /** Runs one statement with its parameters. */
  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
  /**
   * Runs statements that have no parameters, in one message: the server carries them out whatever becomes of this process.
   * Gives the rows of the last one that has any.
   */
  script(sql: string): Promise<Row[]>;
}

/** Connections to one database. Each statement may run on another one. */
export interface Pool extends Session {
  /**
   * Runs `task` on one connection, in a transaction that is rolled back where it throws.
   *
   * @param begin - statements that begin it: the rows of the last one that has any are given to the task, which spares it
   * a message
   * @param end - what ends it otherwise. Default `COMMIT`
   */
  transaction<Result>(
    begin: string,
    task: (session: Session, begun: readonly Row[]) => Promise<Result>,
    end?: string,
  ): Promise<Result>;
  /**
   * Listens to a channel on a connection of its own. `onLost` is called once, when it ends otherwise than by `close`. Where
   * a pool stands before the server, as PgBouncer, nothing is heard: what listened there would be anybody's connection next.
   *
   * @throws what the connection throws
   */
  listen(channel: string, onMessage: (payload: string) => void, onLost: () => void): Promise<Listening>;
  /** Breaks all connections that there are, as they lead to a server that is none any more. What comes next opens others. */
  renew(): void;
  /** Ends all connections; twice is fine. */
  close(): Promise<void>;
}

/** A connection that listens. */
export interface Listening {
  /** Ends it; twice is fine. */
  close(): Promise<void>;
}

/** How connections are made. */
export interface PoolOptions {
  /** Where the database is: `postgres://user@host/database`, as libpq has it; or what the package pg takes. */
  readonly connect: string | pg.ClientConfig;
  /** How many connections there are at most. Default 4; at least 1. */
  readonly max?: number;
  /**
   * How long the answer to a statement is waited for, in milliseconds; then the connection counts as broken, as where the
   * server's machine is gone. Default 60,000; above 0.
   */
  readonly answerMs?: number;
  /** Told of connections that broke while nobody used them. Must not throw. */
  readonly onError: (error: unknown) => void;
}

const defaultAnswerMs = 60_000;

/** Values stay the texts that PostgreSQL sent: numbers lose nothing, and dates keep their form. */
const asSent: pg.CustomTypesConfig = { getTypeParser: () => (value: unknown) => value } as pg.CustomTypesConfig;

/** Whether a URL has several hosts, as libpq has them: `postgres://a,b:5433/shop`. */
function namesSeveralHosts(url: string): boolean {
  const [authority = ""] = (url.split("://")[1] ?? "").split(/[/?#]/, 1);
  return authority.slice(authority.lastIndexOf("@") + 1).includes(",");
}

/** The package pg. @param load - how it is imported @throws RocketError `driver-missing` with what to type */
export async function loadPg(load: () => Promise<{ default: typeof pg }> = () => import("pg")): Promise<typeof pg> {
  try {
    return (await load()).default;
  } catch (cause) {
    throw new RocketError("driver-missing", "PostgreSQL needs the package pg. Type: npm i pg", { cause });
  }
}

async function runScript(client: pg.ClientBase | pg.Pool, sql: string): Promise<Row[]> {
  const answer: unknown = await client.query({ text: sql, rowMode: "array", types: asSent });
  const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryArrayResult<Text[]>[];
  return results.findLast(({ fields }) => fields.length > 0)?.rows ?? [];
}

async function runQuery(
  client: pg.ClientBase | pg.Pool,
  sql: string,
  parameters: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await client.query<Text[]>({
    text: sql,
    values: [...parameters],
    rowMode: "array",
    types: asSent,
  });
  return rows;
}

/** Whether something stands before the server that gives out its connections: its name for this one is not the server's. */
async function isBehindPool(client: pg.Client): Promise<boolean> {
  const [row] = await runQuery(client, "SELECT pg_backend_pid()");
  // Which the package's types don't tell of.
  return Number(row?.[0]) !== (client as pg.Client & { readonly processID: number }).processID;
}

/** How long is waited for a connection, in milliseconds. */
const connectMs = 10_000;
/** After so long without a word, a connection's other end is asked whether it is there, in milliseconds. */
const keepAliveMs = 10_000;

class PgPool implements Pool {
  readonly #pool: pg.Pool;
  readonly #clients: Set<pg.PoolClient> = new Set();
  readonly #config: pg.ClientConfig;
  readonly #Client: typeof pg.Client;
  #closing: Promise<void> | undefined;

  constructor({ Client, Pool }: typeof pg, config: pg.ClientConfig, { max = 4, answerMs, onError }: PoolOptions) {
    this.#config = {
      ...{ connectionTimeoutMillis: connectMs, keepAlive: true, keepAliveInitialDelayMillis: keepAliveMs },
      ...{ query_timeout: answerMs ?? defaultAnswerMs, ...config },
    };
    this.#Client = Client;
    this.#pool = new Pool({ ...this.#config, max });
    this.#pool.on("error", (error, client) => {
      if (this.#clients.has(client) && !isIdleTimeout(error)) onError(error);
    });
    this.#pool.on("connect", (client) => {
      this.#clients.add(client);
      // While a connection is handed over, nobody else listens to it: an error then would end the process.
      client.on("error", () => undefined);
    });
    this.#pool.on("remove", (client) => this.#clients.delete(client));
  }

  query(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    return runQuery(this.#pool, sql, parameters);
  }

  script(sql: string): Promise<Row[]> {
    return this.#using((session) => session.script(sql));
  }

  async transaction<Result>(
    begin: string,
    task: (session: Session, begun: readonly Row[]) => Promise<Result>,
    end = "COMMIT",
  ): Promise<Result> {
    return this.#using(async (session) => {
      const begun = await session.script(begin);
      const result = await task(session, begun);
      await session.script(end);
      return result;
    });
  }

  async listen(channel: string, onMessage: (payload: string) => void, onLost: () => void): Promise<Listening> {
    const client = new this.#Client(this.#config);
    let isOver = false;
    const end = async (): Promise<void> => {
      isOver = true;
      await client.end().catch(() => undefined);
    };
    const lose = (): void => {
      if (isOver) return;
      isOver = true;
      client.end().catch(() => undefined);
      onLost();
    };
    client.on("error", lose);
    client.on("end", lose);
    client.on("notification", ({ payload = "" }) => onMessage(payload));
    try {
      await client.connect();
      if (await isBehindPool(client)) {
        await end();
        return { close: end };
      }
      await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
    } catch (error) {
      await end();
      throw error;
    }
    return { close: end };
  }

  renew(): void {
    const clients = [...this.#clients];
    this.#clients.clear();
    for (const client of clients) client.connection.stream.destroy();
  }

  close(): Promise<void> {
    this.#closing ??= this.#pool.end();
    return this.#closing;
  }

  /** Runs `task` on one connection, which is in no transaction afterwards. */
  async #using<Result>(task: (session: Session) => Promise<Result>): Promise<Result> {
    const client = await this.#pool.connect();
    let isBroken = false;
    // The pool listens to connections that nobody uses; what breaks here is an error of the statement, too, if one runs.
    const breakIt = (): void => {
      isBroken = true;
    };
    client.on("error", breakIt);
    try {
      return await task({
        query: (sql, parameters) => runQuery(client, sql, parameters),
        script: (sql) => runScript(client, sql),
      });
    } catch (error) {
      // One that leads to a standby would lead there for good, wherever its name leads by now.
      if (isReadOnly(error)) breakIt();
      else await client.query("ROLLBACK").catch(breakIt);
      throw error;
    } finally {
      client.off("error", breakIt);
      client.release(isBroken);
    }
  }
}

/**
 * Makes a pool of connections over the package pg; none is opened before it is used.
 *
 * @throws RocketError `driver-missing`
 * @throws RangeError naming the option and its value
 */
export async function openPool(options: PoolOptions): Promise<Pool> {
  const { connect, max = 4, answerMs = defaultAnswerMs } = options;
  if (!Number.isInteger(max) || max < 1) throw new RangeError(`max must be a whole number of at least 1, not ${max}.`);
  if (!(answerMs > 0)) throw new RangeError(`answerMs must be above 0, not ${answerMs}.`);
  if (typeof connect === "string" && namesSeveralHosts(connect)) {
    throw new RocketError(
      "database-invalid",
      "The PostgreSQL URL names several hosts, which the package pg can't take. docs/postgres.md says what to name instead.",
    );
  }
  const config = typeof connect === "string" ? { connectionString: connect } : connect;
  return new PgPool(await loadPg(), { application_name: "rocket", ...config }, options);
}
