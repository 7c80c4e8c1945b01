import { Client, type ClientConfig } from "pg";
import { inject } from "vitest";
import { createScaffold, type Scaffold } from "../../../src/scaffold/index.ts";
import type { TestDatabase } from "./service.ts";

let names = 0;
/** Databases that a test has emptied: to make one takes longer than many a test. */
const emptied: string[] = [];

function config(database: string): ClientConfig {
  return { host: inject("postgresFolder"), port: 5432, user: "postgres", database };
}

/** Makes a database, and gives its name. */
async function make(): Promise<string> {
  names += 1;
  const name = `rest_${process.pid}_${names}`;
  const maker = new Client(config("postgres"));
  await maker.connect();
  await maker.query(`CREATE DATABASE ${name}`);
  await maker.end();
  return name;
}

/** Takes out everything of the test's and of Rocket's. */
async function empty(name: string, client: Client): Promise<void> {
  await client.query(
    "ROLLBACK; SET lock_timeout = 1000; DROP SCHEMA IF EXISTS public, rocket, rocket_users, drizzle CASCADE; CREATE SCHEMA public",
  );
  emptied.push(name);
}

/** A database of the server that the tests share, with nothing in it. */
export async function openPostgres(): Promise<TestDatabase> {
  const host = inject("postgresFolder");
  const name = emptied.pop() ?? (await make());
  const other = new Client(config(name));
  await other.connect();
  const scaffolds: Scaffold[] = [];
  const path = `postgres://postgres@${encodeURIComponent(host)}:5432/${name}`;
  return {
    path,
    async run(sql) {
      await other.query(sql);
    },
    async rows(sql) {
      return (await other.query<unknown[]>({ text: sql, rowMode: "array" })).rows;
    },
    async serve(options, onError) {
      const scaffold = await createScaffold({ path, onError, readTimeoutMs: 60_000, ...options });
      scaffolds.push(scaffold);
      return scaffold;
    },
    async end() {
      for (const scaffold of scaffolds.reverse()) await scaffold.close();
      await empty(name, other).catch(() => undefined);
      await other.end();
    },
  };
}
