import { existsSync } from "node:fs";
import { RocketError } from "../../protocol/index.ts";
import type { Clock, DerivedOptions, Journal, Origin } from "../../server/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
import { openConnection } from "../sqlite/driver.ts";
import { importFunctions } from "../sqlite/functions-module.ts";
import { isEmptyFile } from "../sqlite/open-failure.ts";
import { canWrite } from "./actions.ts";
import { catalogOf, type IsServed } from "./catalog.ts";
import { LeftOutReporter } from "./left-out.ts";
import { type OpenDatabase, openDatabase } from "./open-database.ts";
import { type ResolvedScaffoldOptions, resolveScaffoldOptions, type ScaffoldOptions } from "./options.ts";
import { ownsTarget } from "./route.ts";
import { Service } from "./service.ts";
import type { Ledger } from "./snapshot.ts";
import { openReads } from "./threads/open-reads.ts";

/** A collection and how many records it has. */
export interface CollectionCount {
  /** The collection's path: `/artists`. */
  readonly path: string;
  /** 100,000 at most: to count all of a large table takes long. */
  readonly count: number;
  /** There where it has more than that. */
  readonly hasMore?: true;
}

/** Up to so many records are counted. */
const maxCounted = 100_000;

/** A database as a REST service. */
export interface Scaffold {
  /** Answers requests. */
  readonly origin: Origin;
  /** Where changes come from; absent where the file can't be written. */
  readonly journal?: Journal;
  /**
   * What clients may rely on beside the journal, for `/.well-known/rocket`: `idempotency-key` where writes are taken
   * [R-WK-4].
   */
  readonly promises: readonly string[];
  /** How parts of collections are followed (`limit`, `offset`, and what is more than a GET answers): by asking again. */
  readonly derived: DerivedOptions;
  /** The path below which the collections are, for the server; empty where that is the root. */
  readonly basePath: string;
  /** Why nothing can be subscribed to; absent where it can. */
  readonly notLive?: string;
  /** Whether a URL is that of a collection, or below it, whatever is there: files beside the service stand back then. */
  owns(target: string): boolean;
  /**
   * The collections, in the database's order, with how many records each has now, up to 100,000.
   *
   * @throws RocketError `database-busy` where another program keeps the database locked
   */
  collections(): Promise<CollectionCount[]>;
  /** Finishes what is being written, and closes the database. Twice is fine. */
  close(): Promise<void>;
  /**
   * Closes, and takes out what this scaffold's making added to a database that had nothing of Rocket's before: for a
   * start that fails later on. What another process uses by now stays. Nothing after `close`.
   */
  abandon(): Promise<void>;
}

async function createDatabase(path: string, clock: Clock): Promise<void> {
  const connection = await retryWhenBusy(() => openConnection(path, { create: true }), { clock });
  try {
    connection.exec("PRAGMA journal_mode = WAL");
  } finally {
    connection.close();
  }
}

function requireTables({ schema }: Ledger, tables: readonly string[] | undefined, isServed: IsServed): void {
  const { resources, leftOut } = catalogOf(schema, isServed);
  for (const table of tables ?? []) {
    if (resources.has(table)) continue;
    const reason = leftOut.get(table);
    const known = schema.tables.map(({ name }) => name).join(", ");
    throw new TypeError(
      reason === undefined
        ? `tables names "${table}", which the database does not have; it has ${known}.`
        : `tables names "${table}", which is not served: ${reason}.`,
    );
  }
}

function reasonNotLive({ journal }: OpenDatabase, { actions }: ResolvedScaffoldOptions): string | undefined {
  if (!journal) return "The database can't be written, so it has no journal that a subscription could follow.";
  return actions.has("subscribe") ? undefined : "Subscriptions are switched off here.";
}

/** The functions of the module, where one is given, go to the main thread's connections, too. */
async function withModule(options: ResolvedScaffoldOptions): Promise<ResolvedScaffoldOptions> {
  const { additions, functionsModule } = options;
  if (functionsModule === undefined) return options;
  const functions = { ...(await importFunctions(functionsModule)), ...additions.functions };
  return { ...options, additions: { ...additions, functions } };
}

/**
 * Makes a SQLite database a REST service, live where its file can be written.
 *
 * @throws TypeError | RangeError for an option that can't be; RocketError where the file can't be opened
 */
export async function createScaffold(options: ScaffoldOptions): Promise<Scaffold> {
  const resolved = await withModule(resolveScaffoldOptions(options));
  const { path, tables, basePath, actions, clock, maxRows, maxPageBytes, reportError } = resolved;
  const isAsked = (table: string): boolean => tables === undefined || tables.includes(table);
  const isServed: IsServed = Object.assign(isAsked, { basePath });
  if (resolved.create && (!existsSync(path) || isEmptyFile(path))) await createDatabase(path, clock);
  else if (isEmptyFile(path)) {
    const advice = "The option create makes a database of it.";
    throw new RocketError("database-invalid", `${JSON.stringify(path)} is an empty file. ${advice}`);
  }
  const leftOut = new LeftOutReporter(isServed, reportError);
  const database = await openDatabase(resolved, isServed, (schema) => leftOut.tell(schema));
  const { reader, writer, journal } = database;
  try {
    requireTables(database.ledger, tables, isServed);
  } catch (error) {
    await database.abandon();
    throw error;
  }
  leftOut.tell(database.ledger.schema);
  const notLive = reasonNotLive(database, resolved);
  const settings = { notLive, maxRows, maxPageBytes };
  const reads = openReads(resolved, database, settings);
  const service = new Service({ reader, reads, writer, actions, settings, clock, onError: reportError });
  let closing: Promise<void> | undefined;
  return {
    origin: service.answer,
    derived: {},
    ...(journal ? { journal } : {}),
    ...(notLive === undefined ? {} : { notLive }),
    basePath,
    promises: writer && canWrite(actions) ? ["idempotency-key"] : [],
    owns: (target) => ownsTarget(reader.catalog, target),
    async collections() {
      const counts: CollectionCount[] = [];
      for (const resource of reader.catalog.resources.values()) {
        const count = await reader.count(resource, maxCounted + 1);
        const { path } = resource;
        counts.push(count > maxCounted ? { path, count: maxCounted, hasMore: true } : { path, count });
      }
      return counts;
    },
    close() {
      closing ??= reads.close().then(() => database.close());
      return closing;
    },
    abandon() {
      closing ??= reads.close().then(() => database.abandon());
      return closing;
    },
  };
}
