import { inject, onTestFinished } from "vitest";
import type { Rules, Scaffold, ScaffoldOptions, TokenOptions, UsersOptions } from "../../../src/scaffold/index.ts";
import type { Clock } from "../../../src/server/index.ts";
import { type Send, sendTo } from "../answer.ts";
import { musicSql as sqliteMusic } from "../sqlite/service.ts";
import { openPostgres } from "./postgres-database.ts";
import { openSqlite } from "./sqlite-database.ts";

export type { Answer } from "../answer.ts";

/** The engines that the cases run on. */
export type EngineName = "sqlite" | "postgres";

/** SQL that all engines read, or one text for each. */
export type EngineSql = string | Readonly<Record<EngineName, string>>;

/** Options of scaffolds over any engine. */
export interface TestOptions {
  readonly tables?: readonly string[];
  readonly basePath?: string;
  readonly maxRows?: number;
  readonly maxPageBytes?: number;
  readonly only?: readonly ("create" | "read" | "update" | "destroy" | "subscribe")[];
  readonly except?: NonNullable<TestOptions["only"]>;
  readonly readOnly?: boolean;
  readonly tokens?: TokenOptions;
  readonly users?: UsersOptions;
  readonly rules?: Rules;
  readonly rows?: NonNullable<ScaffoldOptions["rows"]>;
  readonly authorize?: NonNullable<ScaffoldOptions["authorize"]>;
  readonly models?: string | URL;
  readonly clock?: Clock;
}

/** A database of a test's own. */
export interface TestDatabase {
  /** The file, or the URL. */
  readonly path: string;
  /** Runs another program's statements. */
  run(sql: string): Promise<void>;
  /** The rows of another program's query. */
  rows(sql: string): Promise<unknown[][]>;
  /** Serves the database; more than once is fine. */
  serve(options: TestOptions, onError: (error: unknown) => void): Promise<Scaffold>;
  /** Closes what serves it, and removes it. */
  end(): Promise<void>;
}

/** A scaffold over a database of its own. */
export interface Service {
  readonly scaffold: Scaffold;
  /** The database's file, or its URL. */
  readonly path: string;
  /** What `onError` was told. */
  readonly errors: unknown[];
  readonly send: Send;
  /** Runs another program's statements. */
  run(sql: EngineSql): Promise<void>;
  /** The rows of another program's query. */
  rows(sql: EngineSql): Promise<unknown[][]>;
  /** Another process's scaffold over the same database. */
  again(options?: TestOptions): Promise<Scaffold>;
}

const open: Readonly<Record<EngineName, () => Promise<TestDatabase>>> = { sqlite: openSqlite, postgres: openPostgres };

/** What is so on this engine. */
export function here<Value>(values: Readonly<Record<EngineName, Value>>): Value {
  return values[inject("engine")];
}

function textOf(sql: EngineSql): string {
  return typeof sql === "string" ? sql : here(sql);
}

/** A service that was made, and what was done with it. */
interface Made {
  /** What it was made from; `undefined` where that can't be compared. */
  readonly key: string | undefined;
  readonly database: TestDatabase;
  readonly scaffold: Scaffold;
  readonly errors: unknown[];
  /** True once anything was done with it but reading. */
  isTouched: boolean;
}

/** Services that were only read from, for the next test that asks for such a one: to make one takes longer than many a test. */
const idle: Made[] = [];
const mostIdle = 4;

function keyOf(text: string, options: TestOptions): string | undefined {
  const { rows, authorize, models, clock, users, ...plain } = options;
  const isOdd = [rows, authorize, models, clock, users].some((option) => option !== undefined);
  return isOdd ? undefined : JSON.stringify([inject("engine"), inject("mainReadMs"), text, plain]);
}

async function make(key: string | undefined, text: string, options: TestOptions): Promise<Made> {
  const database = await open[inject("engine")]();
  const errors: unknown[] = [];
  try {
    await database.run(text);
    const scaffold = await database.serve(options, (error) => errors.push(error));
    return { key, database, scaffold, errors, isTouched: false };
  } catch (error) {
    await database.end();
    throw error;
  }
}

function takeIdle(key: string | undefined): Made | undefined {
  const at = key === undefined ? -1 : idle.findIndex((made) => made.key === key);
  return at < 0 ? undefined : idle.splice(at, 1)[0];
}

async function giveBack(made: Made): Promise<void> {
  const isLikeNew = made.key !== undefined && !made.isTouched && made.errors.length === 0;
  if (isLikeNew) idle.push(made);
  const over = isLikeNew ? idle.splice(0, Math.max(0, idle.length - mostIdle)) : [made];
  for (const { database } of over) await database.end();
}

/** Makes a database from SQL and serves it until the test ends. */
export async function serve(sql: EngineSql, options: TestOptions = {}): Promise<Service> {
  const text = textOf(sql);
  const key = keyOf(text, options);
  const made = takeIdle(key) ?? (await make(key, text, options));
  onTestFinished(() => giveBack(made));
  const { database, errors } = made;
  const touch = (): Made => {
    made.isTouched = true;
    return made;
  };
  const send = sendTo(made.scaffold);
  return {
    get scaffold() {
      return touch().scaffold;
    },
    get path() {
      return touch().database.path;
    },
    errors,
    send(method, ...request) {
      if (!["GET", "HEAD"].includes(method)) touch();
      return send(method, ...request);
    },
    run: (more) => touch().database.run(textOf(more)),
    rows: (query) => database.rows(textOf(query)),
    again: (more = {}) => touch().database.serve({ ...options, ...more }, (error) => errors.push(error)),
  };
}

/** A service that can more, without a touch of what it was. */
export function extend<More extends object>(service: Service, more: More): Service & More {
  return Object.defineProperties({ ...more } as Service & More, Object.getOwnPropertyDescriptors(service));
}

/** A small music database. */
export const musicSql: EngineSql = {
  sqlite: sqliteMusic,
  postgres: `
    CREATE TABLE artists (id bigint GENERATED BY DEFAULT AS IDENTITY (START 5) PRIMARY KEY, name text NOT NULL UNIQUE,
      genre text DEFAULT 'rock', year integer, active boolean NOT NULL DEFAULT true, CHECK (year > 1000));
    CREATE TABLE albums (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
      artist_id bigint NOT NULL REFERENCES artists, title text NOT NULL);
    INSERT INTO artists (id, name, genre, year) VALUES (1, 'Kraftwerk', 'electronic', 1970), (2, 'Can', 'rock', 1968),
      (3, 'Neu!', 'rock', 1971), (4, 'Faust', 'rock', NULL);
    INSERT INTO albums (artist_id, title) VALUES (1, 'Autobahn'), (2, 'Tago Mago');`,
};
