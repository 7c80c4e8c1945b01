import type { Client } from "pg";
import { onTestFinished } from "vitest";
import {
  administratorSql,
  createScaffold,
  type Scaffold,
  type ScaffoldOptions,
  type TokenOptions,
} from "../../../src/scaffold/index.ts";
import { type Send, sendTo } from "../answer.ts";
import { bearer, secret, signed } from "../tokens/issuer.ts";
import type { TestServer } from "./server.ts";

/** The roles that Supabase and PostgREST have: the one that connects inherits nothing, and may become the others. */
const rolesSql = `DO $$ BEGIN
  CREATE ROLE authenticator LOGIN NOINHERIT; CREATE ROLE anon NOLOGIN; CREATE ROLE authenticated NOLOGIN;
  CREATE ROLE stranger NOLOGIN; GRANT anon, authenticated TO authenticator;
EXCEPTION WHEN duplicate_object THEN NULL; END $$`;

/** The functions that policies made for Supabase call, as Supabase has them. */
const authSql = `CREATE SCHEMA auth; GRANT USAGE ON SCHEMA auth TO anon, authenticated;
  CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim', true), ''), nullif(current_setting('request.jwt.claims', true), ''))::jsonb $$;
  CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),
      (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'))::uuid $$;
  CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('request.jwt.claim.role', true), ''),
      (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role'))::text $$`;

/** Two users. */
export const ann = "11111111-1111-4111-8111-111111111111";
export const ben = "22222222-2222-4222-8222-222222222222";

/** The field with a user's token. */
export async function as(sub: string, claims: Record<string, unknown> = {}): Promise<Record<string, string>> {
  return bearer(await signed({ sub, role: "authenticated", ...claims }));
}

/** A database with the roles, served by the one that may become the others. */
export interface RolesService {
  readonly scaffold: Scaffold;
  /** An administrator's connection. */
  readonly client: Client;
  readonly errors: unknown[];
  readonly send: Send;
}

/** Makes a database from SQL and serves it, as an administrator has set it up, until the test ends. */
export async function serveRoles(
  server: TestServer,
  sql: string,
  tokens: TokenOptions = {},
  more: Pick<ScaffoldOptions, "rules"> = {},
): Promise<RolesService> {
  const name = await server.database();
  const client = await server.connect(name);
  await client.query(`${rolesSql}; ${authSql}; ${sql}`);
  const path = server.url(name, "authenticator");
  await client.query(await administratorSql(path));
  const errors: unknown[] = [];
  const scaffold = await createScaffold({
    ...more,
    path,
    tokens: { secret, anonymousRole: "anon", ...tokens },
    onError: (error) => errors.push(error),
  });
  onTestFinished(() => scaffold.close());
  return { scaffold, client, errors, send: sendTo(scaffold) };
}
