import type { Client } from "pg";
import { afterAll, beforeAll, onTestFinished } from "vitest";
import { createScaffold, type Scaffold, type ScaffoldOptions } from "../../../src/scaffold/index.ts";
import { type Send, sendTo } from "../answer.ts";
import type { TestServer } from "./server.ts";

/** A scaffold over a database of its own. */
export interface Service {
  readonly scaffold: Scaffold;
  /** Another program's connection. */
  readonly client: Client;
  /** What `onError` was told. */
  readonly errors: unknown[];
  readonly send: Send;
}

type Options = Partial<ScaffoldOptions> & { readonly user?: string };

async function open(
  server: TestServer,
  sql: string,
  { user, ...options }: Options = {},
): Promise<{ readonly service: Service; readonly close: () => Promise<void> }> {
  const name = await server.database();
  const client = await server.connectWriter(name);
  await client.query(sql);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const scaffold = await createScaffold({ path: server.url(name, user), onError, ...options });
  const close = async (): Promise<void> => {
    await scaffold.close();
    await client.end();
  };
  return { service: { scaffold, client, errors, send: sendTo(scaffold) }, close };
}

/** Makes a database from SQL and serves it until the test ends. @param user - the role that serves it */
export async function serve(server: TestServer, sql: string, options?: Options): Promise<Service> {
  const { service, close } = await open(server, sql, options);
  onTestFinished(close);
  return service;
}

/** A service for all tests of a file that change nothing. */
export function serviceOfFile(server: TestServer, sql: string): () => Service {
  let opened: Awaited<ReturnType<typeof open>> | undefined;
  beforeAll(async () => {
    opened = await open(server, sql);
  });
  afterAll(() => opened?.close());
  return () => {
    if (!opened) throw new Error("The service is there from the first test on.");
    return opened.service;
  };
}
