import { BasePath, type Clock, type ErrorHandler, systemClock } from "../server/index.ts";
import { errorReporter } from "../server/inner.ts";
import type { Names } from "./engine/names.ts";
import { readModels } from "./models/read-models.ts";
import { isPostgresUrl } from "./postgres-url.ts";
import { type Action, type ActionOptions, resolveActions } from "./rest/actions.ts";
import { readRules } from "./rules/read-rules.ts";
import { hasFunctions, type ResolvedRules, type Rows, type Rules, resolveRules } from "./rules/rules.ts";
import type { Additions } from "./sqlite/additions.ts";
import { moduleUrl } from "./sqlite/functions-module.ts";
import type { SqliteJournalOptions } from "./sqlite/journal.ts";
import type { Authorize } from "./tokens/authorize.ts";
import type { AppViewer } from "./tokens/known-viewers.ts";
import { type ResolvedTokenOptions, resolveTokenOptions, type TokenOptions } from "./tokens/options.ts";
import { type ResolvedUsersOptions, resolveUsersOptions, type UsersOptions } from "./users/options.ts";
import { usersSchema } from "./users-database.ts";

/**
 * What a scaffold stands on.
 *
 * @typeParam Viewer - what `authorize` says of who asks, and `rows` is asked with
 */
export interface ScaffoldOptions<Viewer extends object = AppViewer> extends ActionOptions, Additions {
  /** The database: a SQLite file, or the URL of one of PostgreSQL, `postgres://user@host/database`. */
  readonly path: string;
  /**
   * PostgreSQL's schemas whose tables are served. Those of the first one have their names as URLs, those of others have
   * their schema before it, as `/sales.orders`. Default `public`.
   */
  readonly schemas?: readonly string[];
  /** The tables that are served. Default: all. */
  readonly tables?: readonly string[];
  /** The path below which clients see the collections, as `/api`. Default: the root. */
  readonly basePath?: string;
  /**
   * Which tokens say who asks: JSON Web Tokens in `Authorization: Bearer …`, or one that all share. A request without one that
   * counts is 401. On PostgreSQL each request acts as the role that its JSON Web Token names. Default: no tokens are asked for,
   * and everybody is the same.
   */
  readonly tokens?: TokenOptions;
  /**
   * Has people sign in by email and password, at `/auth/…`: they are kept in the database, where nobody is served them. A request
   * without a session is 401 then, unless `tokens` says otherwise. Default: nobody signs in here.
   */
  readonly users?: UsersOptions;
  /**
   * Says who asks, by whatever the application knows people by; not beside `tokens` and `users`. What it throws is a 500.
   * Default: tokens and users say so.
   */
  readonly authorize?: Authorize<Viewer>;
  /**
   * Says for each viewer, table and action (`read`, `create`, `update`, `delete`) which records that is about: a filter as in a
   * URL, or of {@link where}; true: all; false, or nothing: none. It holds as a rule does, together with `rules`, where there are any:
   * both must allow. What it throws is a 500, and nothing is shown. Without `authorize` it is asked with the token's claims.
   * Default: the rules alone decide.
   */
  readonly rows?: Rows<Viewer>;
  /**
   * Who may read and write which records: an object, or the path or URL of a JSON file or of a module whose default export
   * it is. Default: everybody may all. With rules, a table that they have no entry for is closed.
   */
  readonly rules?: Rules | string | URL;
  /**
   * What names the tables, columns and relations of the database outside: the path or URL of a Prisma schema, of a module
   * that exports Drizzle's tables and relations, or of a folder of either. Default: the database's own names.
   */
  readonly models?: string | URL;
  /** Makes the file, in WAL mode, where there is none or an empty one. Default false. */
  readonly create?: boolean;
  /** Records that a GET answers at most; then a `Link` names the next ones. Default 1,000; 1 to 1,000,000. */
  readonly maxRows?: number;
  /**
   * Bytes of records that a GET of a collection answers at most, unless one record alone has more; then a `Link` names the
   * next ones. Default 8 MiB; 1 KiB to 256 MiB.
   */
  readonly maxPageBytes?: number;
  /**
   * How many threads there are for reads that take more than two milliseconds. They start when they are needed. Default 2;
   * 0 to 16. None where `functions` are given, which can't be handed to a thread (`functionsModule` can).
   */
  readonly readThreads?: number;
  /**
   * How long a read may take, in milliseconds, waiting for a thread included: then it is a 503. Default 5,000; 100 to
   * 3,600,000. At most 1,000 where the database is not in WAL mode, since nobody can commit meanwhile.
   */
  readonly readTimeoutMs?: number;
  /** How long a read may hold up the main thread before a thread does it, in milliseconds. Default 2. @internal */
  readonly mainReadMs?: number;
  /**
   * A JavaScript module, by its path or URL, whose exported functions are functions of SQL. Each thread imports it for
   * itself. Default: none.
   */
  readonly functionsModule?: string | URL;
  /** How long and how much history the journal keeps. Default: the journal's own. */
  readonly retention?: SqliteJournalOptions["retention"];
  /** Told of errors that no peer is told the text of. What it throws is dropped. Default: nothing is told. */
  readonly onError?: ErrorHandler;
  /** Time and chance. Default: the platform's. */
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export interface ResolvedScaffoldOptions {
  readonly path: string;
  readonly schemas: readonly string[];
  readonly tables: readonly string[] | undefined;
  readonly basePath: string;
  readonly actions: ReadonlySet<Action>;
  readonly tokens: ResolvedTokenOptions | undefined;
  readonly users: ResolvedUsersOptions | undefined;
  readonly rules: ResolvedRules | undefined;
  readonly rows: Rows<AppViewer> | undefined;
  readonly authorize: Authorize<object> | undefined;
  readonly names: Names | undefined;
  readonly create: boolean;
  readonly additions: Additions;
  readonly functionsModule: string | undefined;
  readonly readThreads: number;
  readonly readTimeoutMs: number;
  readonly mainReadMs: number;
  readonly maxRows: number;
  readonly maxPageBytes: number;
  readonly retention: SqliteJournalOptions["retention"] | undefined;
  readonly reportError: (error: unknown, stage: string) => void;
  readonly clock: Clock;
}

/** Options of a SQLite file alone. @throws TypeError naming the one that was given */
function refuseSqliteOptions(options: ScaffoldOptions): void {
  for (const name of ["create", "extensions", "functions", "functionsModule", "readThreads"] as const) {
    if (options[name]) throw new TypeError(`${name} is for SQLite, and path names a PostgreSQL database.`);
  }
}

/** What the application itself says of viewers. @throws TypeError naming the option */
function refuseFunctions({ authorize, rows, tokens, users }: ScaffoldOptions): void {
  for (const [name, value] of Object.entries({ authorize, rows })) {
    if (value !== undefined && typeof value !== "function")
      throw new TypeError(`${name} must be a function, not ${typeof value}.`);
  }
  const other = tokens ? "tokens" : users ? "users" : undefined;
  if (authorize && other) throw new TypeError(`authorize says who asks, and so does ${other}: give one of them.`);
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export async function resolveScaffoldOptions(options: ScaffoldOptions): Promise<ResolvedScaffoldOptions> {
  const { path, tables, create = false, maxRows = 1000, retention, onError, clock = systemClock } = options;
  const { maxPageBytes = 8 * 1024 * 1024, extensions = [], functions = {}, functionsModule } = options;
  const { authorize, rows } = options;
  const { readThreads = 2, readTimeoutMs = 5_000, mainReadMs = 2, schemas = ["public"] } = options;
  if (typeof path !== "string" || path === "") throw new TypeError(`path must name a file, not ${String(path)}.`);
  if (!Number.isInteger(maxRows) || maxRows < 1 || maxRows > 1_000_000) {
    throw new RangeError(`maxRows must be a whole number from 1 to 1000000, not ${maxRows}.`);
  }
  if (!Number.isInteger(maxPageBytes) || maxPageBytes < 1024 || maxPageBytes > 256 * 1024 * 1024) {
    throw new RangeError(`maxPageBytes must be a whole number from 1024 to ${256 * 1024 * 1024}, not ${maxPageBytes}.`);
  }
  if (!Number.isInteger(readThreads) || readThreads < 0 || readThreads > 16) {
    throw new RangeError(`readThreads must be a whole number from 0 to 16, not ${readThreads}.`);
  }
  if (!(readTimeoutMs >= 100 && readTimeoutMs <= 3_600_000)) {
    throw new RangeError(`readTimeoutMs must be a number from 100 to 3600000, not ${readTimeoutMs}.`);
  }
  for (const [name, call] of Object.entries(functions)) {
    if (typeof call !== "function") throw new TypeError(`functions.${name} must be a function, not ${typeof call}.`);
  }
  refuseFunctions(options);
  if (isPostgresUrl(path)) refuseSqliteOptions(options);
  else if (options.schemas) throw new TypeError("schemas is for PostgreSQL, and path names a SQLite file.");
  const rules = options.rules === undefined ? undefined : resolveRules(await readRules(options.rules));
  if (schemas.length === 0) throw new TypeError("schemas must name one schema at least.");
  if (schemas.includes(usersSchema)) throw new TypeError(`schemas names ${usersSchema}, which is never served.`);
  const isPostgres = isPostgresUrl(path);
  const users = options.users && resolveUsersOptions(options.users, isPostgres);
  return {
    path,
    schemas,
    tables,
    basePath: new BasePath(options.basePath).text,
    actions: resolveActions(options),
    ...{ rules, rows, authorize },
    names: options.models === undefined ? undefined : await readModels(options.models),
    tokens:
      options.tokens || users
        ? resolveTokenOptions(options.tokens ?? {}, { isPostgres, users, hasRules: (rules ?? rows) !== undefined })
        : undefined,
    users,
    create,
    additions: { extensions, functions },
    functionsModule: functionsModule === undefined ? undefined : moduleUrl(functionsModule),
    // A function can't be handed to a thread, nor a database that is in memory only.
    readThreads:
      Object.keys(functions).length > 0 || path === ":memory:" || rows || (rules && hasFunctions(rules))
        ? 0
        : readThreads,
    readTimeoutMs,
    mainReadMs,
    maxRows,
    maxPageBytes,
    retention,
    clock,
    reportError: errorReporter(onError),
  };
}
