import type { Client } from "pg";
import { onTestFinished } from "vitest";
import {
  createPostgresJournal,
  openPool,
  type Pool,
  type PostgresJournal,
  type PostgresJournalOptions,
} from "../../../src/scaffold/postgres/index.ts";
import type { Batch } from "../../../src/server/index.ts";
import { plainFormat } from "./plain-format.ts";
import type { TestServer } from "./server.ts";

/** A database with a connection to write to it. */
export interface Site {
  readonly server: TestServer;
  readonly database: string;
  readonly client: Client;
}

/** A journal whose batches are collected. */
export interface Watched {
  readonly journal: PostgresJournal;
  readonly pool: Pool;
  readonly batches: Batch[];
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** What the batches said since it was asked last: `create /t/1`. Brings the tail up to date first. */
  news(): Promise<string[]>;
}

/** A new database, and what is run in it first. */
export async function newSite(server: TestServer, sql = ""): Promise<Site> {
  const database = await server.database();
  const client = await server.connect(database);
  if (sql !== "") await client.query(sql);
  return { server, database, client };
}

/** Connections that are closed with the test. */
export async function connectPool(
  { server, database }: Pick<Site, "server" | "database">,
  { user, max = 4 }: { readonly user?: string | undefined; readonly max?: number } = {},
): Promise<Pool> {
  const pool = await openPool({ connect: server.url(database, user), max, onError: () => undefined });
  onTestFinished(() => pool.close());
  return pool;
}

/** What batches say, in words. */
export function tell(batches: readonly Batch[]): string[] {
  return batches.flatMap(({ lost, changes }) => [
    ...(lost ? ["lost"] : []),
    // Of the schema's changes only what they do to tables is told here.
    ...changes
      .filter(({ collection }) => collection !== "/")
      .map(({ kind, collection, url }) => `${kind} ${url || collection}`),
  ]);
}

/** A journal that is closed with the test. It looks only when it is asked to, unless the options say otherwise. */
export async function watch(
  site: Site,
  { user, ...options }: Partial<PostgresJournalOptions> & { readonly user?: string } = {},
): Promise<Watched> {
  const errors: unknown[] = [];
  const pool = options.pool ?? (await connectPool(site, { user }));
  const journal = await createPostgresJournal({
    pool,
    format: plainFormat,
    pollMs: 1e9,
    hints: false,
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => journal.close());
  const batches: Batch[] = [];
  journal.tail((batch) => batches.push(batch));
  return {
    journal,
    pool,
    batches,
    errors,
    async news() {
      await journal.poll();
      return tell(batches.splice(0));
    },
  };
}

/** Rows of a query, each as one text. */
export async function ask({ client }: Pick<Site, "client">, sql: string): Promise<string[]> {
  const { rows } = await client.query<unknown[]>({ text: sql, rowMode: "array" });
  return rows.map((row) => row.join("|"));
}
