import { Client, type ClientConfig } from "pg";
import { inject, onTestFinished } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import type { TestDatabase } from "./service.ts";

let names = 0;

/** A database of the server that the tests share. */
export async function openPostgres(): Promise<TestDatabase> {
  const host = inject("postgresFolder");
  const config = (database: string): ClientConfig => ({ host, port: 5432, user: "postgres", database });
  names += 1;
  const name = `rest_${process.pid}_${names}`;
  const maker = new Client(config("postgres"));
  await maker.connect();
  await maker.query(`CREATE DATABASE ${name}`);
  await maker.end();
  const other = new Client(config(name));
  await other.connect();
  onTestFinished(() => other.end());
  return {
    async run(sql) {
      await other.query(sql);
    },
    async rows(sql) {
      return (await other.query<unknown[]>({ text: sql, rowMode: "array" })).rows;
    },
    async serve(options, onError) {
      const path = `postgres://postgres@${encodeURIComponent(host)}:5432/${name}`;
      const scaffold = await createScaffold({ path, onError, ...options });
      onTestFinished(() => scaffold.close());
      return scaffold;
    },
  };
}
