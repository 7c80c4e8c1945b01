import type pg from "pg";
import { RocketError } from "../../protocol/index.ts";
import type { Row, Text } from "./batch.ts";
import { type Keeping, Pipe, type Portion } from "./pipe.ts";
import { type Preparations, PreparedNames } from "./prepared-names.ts";
import { isIdleTimeout, isReadOnly } from "./sql-state.ts";

export type { Row, Text } from "./batch.ts";
export { EndedEarly, type Keeping, type Portion } from "./pipe.ts";

/** What runs statements, in the order in which they are given. */
export interface Session {
  /**
   * Runs one statement with its parameters.
   *
   * @param keeping - whether the connection may keep it prepared. Not where row-level security decides what it gives: its plan
   * would outlive that a role is in another one no more
   */
  query(sql: string, parameters?: readonly unknown[], keeping?: Keeping): Promise<Row[]>;
  /**
   * Runs statements that have no parameters, in one message: the server carries them out whatever becomes of this process.
   * Gives the rows of the last one that has any.
   */
  script(sql: string): Promise<Row[]>;
}

/** What runs the statements of one transaction. Those that are given at once take one message. */
export interface TransactionSession extends Session {
  /** The first rows of a query, `count` of them at most. */
  portion(sql: string, parameters: readonly Text[], count: number, keeping?: Keeping): Promise<Portion>;
}

/** What runs the statements of a transaction that writes nothing. */
export interface ReadingSession extends TransactionSession {
  /**
   * Says that more may be asked than is asked at once. Otherwise the transaction ends in the message that begins it, and
   * what comes later is refused with {@link EndedEarly}.
   */
  keepOpen(): void;
}

/** A statement with its parameters. */
export interface BoundStatement {
  readonly text: string;
  readonly values: readonly Text[];
}

/** Connections to one database. Each statement may run on another one. */
export interface Pool extends Session {
  /**
   * Runs `task` on one connection, in a transaction that is rolled back where it throws.
   *
   * @param begin - statements that begin it, as a script or each by itself: the rows of the last one that has any come to the
   * task. What it asks at once goes in one message with those that stand by themselves; where one of them fails, it is not
   * carried out
   * @param end - ends it otherwise: a commit is the last thing that it asks in the transaction. Default: it commits
   */
  transaction<Result>(
    begin: string | readonly string[],
    task: (session: TransactionSession, begun: Promise<Row[]>) => Promise<Result>,
    end?: (session: TransactionSession) => Promise<unknown>,
  ): Promise<Result>;
  /**
   * As `transaction`, in one message: what the task asks at once goes with the statements that begin and end it, unless the
   * task has the session kept open. Its result is given without waiting for the end. For what writes nothing.
   *
   * @param begin - the statements that begin it, each by itself: the rows of the last one come to the task
   * @param end - what ends it, whatever the task does. Default `COMMIT`
   */
  reading<Result>(
    begin: readonly string[],
    task: (session: ReadingSession, begun: Promise<Row[]>) => Promise<Result>,
    end?: string,
  ): Promise<Result>;
  /**
   * Runs statements in one message, each by itself: the server carries them out whatever becomes of this process, up to the
   * first that fails. Gives the rows of each.
   */
  batch(statements: readonly BoundStatement[]): Promise<Row[][]>;
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
async function isBehindPool(client: pg.ClientBase): Promise<boolean> {
  const [row] = await runQuery(client, "SELECT pg_backend_pid()");
  // Which the package's types don't tell of.
  return Number(row?.[0]) !== (client as pg.ClientBase & { readonly processID: number }).processID;
}

/** A connection that is in use. */
interface Taken {
  readonly session: Pipe;
  /** @param failed - why it may be in the middle of a transaction */
  readonly release: (failed?: { readonly error: unknown }) => Promise<void>;
}

/** How long is waited for a connection, in milliseconds. */
const connectMs = 10_000;
/** After so long without a word, a connection's other end is asked whether it is there, in milliseconds. */
const keepAliveMs = 10_000;

/** Runs what is asked in a transaction that is begun. Where it was not begun, that is why the task failed. */
async function runBegun<Result>(
  session: Pipe,
  begin: string | readonly string[],
  task: (session: Pipe, begun: Promise<Row[]>) => Promise<Result>,
  end?: string,
): Promise<Result> {
  const begun = session.begin(begin, end);
  begun.catch(() => undefined);
  let failure: { readonly error: unknown } | undefined;
  const result = await task(session, begun).catch((error: unknown) => {
    failure = { error };
    return undefined as Result;
  });
  await begun;
  if (failure) throw failure.error;
  return result;
}

class PgPool implements Pool {
  readonly #pool: pg.Pool;
  readonly #clients: Set<pg.PoolClient> = new Set();
  readonly #preparations: Preparations = { epoch: 0 };
  /** What the connections that lead to the server itself have prepared: behind another pool it would be anybody's. */
  readonly #names: WeakMap<pg.ClientBase, PreparedNames> = new WeakMap();
  readonly #config: pg.ClientConfig;
  readonly #Client: typeof pg.Client;
  #closing: Promise<void> | undefined;

  constructor({ Client, Pool }: typeof pg, config: pg.ClientConfig, { max = 4, answerMs, onError }: PoolOptions) {
    this.#config = {
      ...{ connectionTimeoutMillis: connectMs, keepAlive: true, keepAliveInitialDelayMillis: keepAliveMs },
      ...{ query_timeout: answerMs ?? defaultAnswerMs, ...config },
    };
    this.#Client = Client;
    this.#pool = new Pool({ ...this.#config, max, onConnect: (client) => this.#meet(client) });
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
    begin: string | readonly string[],
    task: (session: TransactionSession, begun: Promise<Row[]>) => Promise<Result>,
    end: (session: TransactionSession) => Promise<unknown> = (session) => session.script("COMMIT"),
  ): Promise<Result> {
    return this.#using(async (session) => {
      const result = await runBegun(session, begin, task);
      await end(session);
      return result;
    });
  }

  batch(statements: readonly BoundStatement[]): Promise<Row[][]> {
    return this.#using((session) =>
      Promise.all(statements.map(({ text, values }) => session.query(text, values, "keep"))),
    );
  }

  async reading<Result>(
    begin: readonly string[],
    task: (session: ReadingSession, begun: Promise<Row[]>) => Promise<Result>,
    end = "COMMIT",
  ): Promise<Result> {
    const { session, release } = await this.#take();
    let result: Result;
    try {
      result = await runBegun(session, begin, task, end);
    } catch (error) {
      await release((await session.hasEndedEarly()) ? undefined : { error });
      throw error;
    }
    session.end(end).then(
      () => release(),
      (error: unknown) => release({ error }),
    );
    return result;
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

  /** Looks what a new connection leads to. */
  async #meet(client: pg.ClientBase): Promise<void> {
    if (!(await isBehindPool(client))) this.#names.set(client, new PreparedNames(this.#preparations));
  }

  #pipeOf(client: pg.PoolClient): Pipe {
    return new Pipe({
      client,
      names: this.#names.get(client),
      runScript: (sql) => runScript(client, sql),
      runQuery: (sql, parameters) => runQuery(client, sql, parameters),
    });
  }

  /** Runs `task` on one connection, which is in no transaction afterwards. */
  async #using<Result>(task: (session: Pipe) => Promise<Result>): Promise<Result> {
    const { session, release } = await this.#take();
    let result: Result;
    try {
      result = await task(session);
    } catch (error) {
      await release({ error });
      throw error;
    }
    await release();
    return result;
  }

  /** Takes a connection; `release` gives it back once it is in no transaction, whatever went wrong. */
  async #take(): Promise<Taken> {
    const client = await this.#pool.connect();
    let isBroken = false;
    // The pool listens to connections that nobody uses; what breaks here is an error of the statement, too, if one runs.
    const breakIt = (): void => {
      isBroken = true;
    };
    client.on("error", breakIt);
    const session = this.#pipeOf(client);
    const release: Taken["release"] = async (failed) => {
      // One that leads to a standby would lead there for good, wherever its name leads by now.
      if (failed && isReadOnly(failed.error)) breakIt();
      else if (failed) await session.script("ROLLBACK").catch(breakIt);
      client.off("error", breakIt);
      client.release(isBroken);
    };
    return { session, release };
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
