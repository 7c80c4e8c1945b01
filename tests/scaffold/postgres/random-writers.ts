import type { Client } from "pg";
import type { TestServer } from "./server.ts";

/** Records that all write to, and how often each was written. */
export const worldSql = `
CREATE TABLE hot (id int PRIMARY KEY, version int NOT NULL, tag text NOT NULL);
INSERT INTO hot SELECT g, 0, '' FROM generate_series(1, 20) g;
CREATE TABLE brief (id int PRIMARY KEY, version int NOT NULL, tag text NOT NULL)`;

/** How long a run is. */
export interface RunLength {
  readonly writers: number;
  readonly transactions: number;
}

/** Numbers in [0, 1) that repeat from a seed. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes at random: several records at once, in the order of their keys, with savepoints, some for nothing. */
export class RandomWriter {
  readonly #server: TestServer;
  readonly #database: string;
  readonly #random: () => number;
  readonly #place: number;
  #client: Client | undefined;
  #count = 0;

  constructor(server: TestServer, database: string, place: number, seed: number) {
    this.#server = server;
    this.#database = database;
    this.#place = place;
    this.#random = randomFrom(seed * 1_000 + place);
  }

  async run(transactions: number): Promise<void> {
    for (let left = transactions; left > 0; left -= 1) await this.#attempt();
  }

  /** A transaction that may be ended by a kill or a deadlock: what is in the database is what counts. */
  async #attempt(): Promise<void> {
    try {
      this.#client ??= await this.#server.connectWriter(this.#database);
      await this.#write(this.#client);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "40P01") this.#client = undefined;
      else await this.#client?.query("ROLLBACK");
    }
  }

  async #write(client: Client): Promise<void> {
    const tag = `${this.#place}-${++this.#count}`;
    await client.query(this.#random() < 0.3 ? "BEGIN; SET LOCAL synchronous_commit = off" : "BEGIN");
    for (let steps = this.#pick(4); steps > 0; steps -= 1) {
      const isSaved = this.#random() < 0.4;
      if (isSaved) await client.query("SAVEPOINT s");
      await client.query(this.#statement(tag));
      if (isSaved) await client.query(this.#random() < 0.5 ? "ROLLBACK TO s" : "RELEASE s");
    }
    await client.query(this.#random() < 0.1 ? "ROLLBACK" : "COMMIT");
  }

  #statement(tag: string): string {
    const kind = this.#random();
    if (kind < 0.6) {
      const [from, to] = [this.#pick(20), this.#pick(20)].sort((a, b) => a - b);
      const rows = `SELECT id FROM hot WHERE id IN (${from}, ${to}) ORDER BY id FOR UPDATE`;
      return `WITH r AS (${rows}) UPDATE hot SET version = version + 1, tag = '${tag}' FROM r WHERE hot.id = r.id`;
    }
    const id = this.#place * 100_000 + this.#count;
    if (kind < 0.8) {
      return `INSERT INTO brief VALUES (${id}, 1, '${tag}') ON CONFLICT (id) DO UPDATE SET version = brief.version + 1, tag = EXCLUDED.tag`;
    }
    return `DELETE FROM brief WHERE id = (SELECT min(id) FROM brief WHERE id BETWEEN ${this.#place * 100_000} AND ${id})`;
  }

  #pick(count: number): number {
    return 1 + Math.floor(this.#random() * count);
  }
}
