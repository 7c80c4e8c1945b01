import type { Client } from "pg";

/** A session that writes plain SQL, one transaction after another. It is made anew where it breaks. */
export class PostgresSession {
  readonly #connect: () => Promise<Client>;
  #client: Client | undefined;
  #isEnded = false;
  #running: Promise<void> = Promise.resolve();

  constructor(connect: () => Promise<Client>) {
    this.#connect = connect;
  }

  /** Runs statements; one that fails leaves the others. What breaks on the way came to nothing, or to all: the journal tells. */
  run(all: readonly string[]): Promise<void> {
    this.#running = this.#running.then(() => this.#runAll(all));
    return this.#running;
  }

  /** The backend that it has, once its statements are done. */
  async processId(): Promise<number | undefined> {
    await this.#running;
    const answer = await this.#client?.query<{ pid: number }>("SELECT pg_backend_pid() AS pid").catch(() => undefined);
    return answer?.rows[0]?.pid;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#leave();
  }

  async #runAll(all: readonly string[]): Promise<void> {
    const [begin = "", ...rest] = all;
    try {
      if (this.#isEnded) return;
      this.#client ??= await this.#connect();
      await this.#client.query(begin);
      for (const statement of rest) await this.#runOne(this.#client, statement);
    } catch {
      await this.#leave();
    }
  }

  async #leave(): Promise<void> {
    const leaving = this.#client;
    this.#client = undefined;
    await leaving?.end().catch(() => undefined);
  }

  async #runOne(client: Client, statement: string): Promise<void> {
    if (statement === "COMMIT" || statement === "ROLLBACK") {
      await client.query(statement);
      return;
    }
    await client.query("SAVEPOINT one");
    try {
      await client.query(statement);
    } catch {
      await client.query("ROLLBACK TO one");
    }
  }
}
