import type { Client } from "pg";
import { onTestFinished } from "vitest";
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

/** Makes a database from SQL and serves it until the test ends. @param user - the role that serves it */
export async function serve(
  server: TestServer,
  sql: string,
  { user, ...options }: Partial<ScaffoldOptions> & { readonly user?: string } = {},
): Promise<Service> {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(sql);
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const scaffold = await createScaffold({ path: server.url(name, user), onError, ...options });
  onTestFinished(() => scaffold.close());
  return { scaffold, client, errors, send: sendTo(scaffold) };
}
