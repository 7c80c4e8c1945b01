import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock, Journal, Origin } from "../../server/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
import { type Connection, openConnection } from "../sqlite/driver.ts";
import { createSqliteJournal, type SqliteJournal } from "../sqlite/journal.ts";
import { journalLedger, schemaLedger } from "./ledger.ts";
import { type ResolvedScaffoldOptions, resolveScaffoldOptions, type ScaffoldOptions } from "./options.ts";
import { Reader } from "./reader.ts";
import { recordFormat } from "./record-format.ts";
import { Service } from "./service.ts";
import type { Ledger } from "./snapshot.ts";
import { countRecords } from "./sql.ts";
import { Writer } from "./writer.ts";

/** A collection and how many records it has. */
export interface CollectionCount {
  /** The collection's path: `/artists`. */
  readonly path: string;
  readonly count: number;
}

/** A database as a REST service. */
export interface Scaffold {
  /** Answers requests. */
  readonly origin: Origin;
  /** Where changes come from; absent where the file can't be written. */
  readonly journal?: Journal;
  /** Why nothing can be subscribed to; absent where it can. */
  readonly notLive?: string;
  /** The collections, in the database's order, with how many records each has now. */
  collections(): CollectionCount[];
  /** Finishes what is being written, and closes the database. Twice is fine. */
  close(): Promise<void>;
}

function canWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

async function createDatabase(path: string, clock: Clock): Promise<void> {
  const connection = await retryWhenBusy(() => openConnection(path, { create: true }), { clock });
  try {
    connection.exec("PRAGMA journal_mode = WAL");
  } finally {
    connection.close();
  }
}

/** For reading only, but able to put a database right whose writer was killed. */
async function openReader(path: string, clock: Clock): Promise<Connection> {
  const connection = await retryWhenBusy(() => openConnection(path), { clock });
  connection.exec("PRAGMA query_only = ON");
  return connection;
}

function requireTables(ledger: Ledger, tables: readonly string[] | undefined): void {
  const known = ledger.schema.tables.map(({ name }) => name);
  for (const table of tables ?? []) {
    if (known.includes(table)) continue;
    throw new TypeError(`tables names "${table}", which the database does not have; it has ${known.join(", ")}.`);
  }
}

/** The parts of a scaffold, to be closed together. */
interface Parts {
  readonly connection: Connection;
  readonly ledger: Ledger;
  readonly journal?: SqliteJournal;
  readonly writer?: Writer;
  readonly close: () => Promise<void>;
}

type IsServed = (table: string) => boolean;

async function openLive(options: ResolvedScaffoldOptions, isServed: IsServed): Promise<Parts> {
  const { path, clock, reportError, retention } = options;
  const journal = await createSqliteJournal({
    path,
    format: recordFormat,
    clock,
    tables: isServed,
    onError: reportError,
    ...(retention ? { retention } : {}),
  });
  const ledger = journalLedger(journal);
  const connection = await openReader(path, clock);
  const writing = await retryWhenBusy(() => openConnection(path), { clock });
  const writer = new Writer({ connection: writing, ledger, clock, isServed, onError: reportError });
  const close = async (): Promise<void> => {
    await writer.close();
    writing.close();
    connection.close();
    await journal.close();
  };
  return { connection, ledger, journal, writer, close };
}

async function openReadable(options: ResolvedScaffoldOptions): Promise<Parts> {
  const { path, clock } = options;
  const connection = await retryWhenBusy(() => openConnection(path, { readOnly: true }), { clock });
  const ledger = await schemaLedger(connection, clock);
  return { connection, ledger, close: async () => connection.close() };
}

function reasonNotLive({ journal }: Parts, { actions }: ResolvedScaffoldOptions): string | undefined {
  if (!journal) return "The database can't be written, so it has no journal that a subscription could follow.";
  return actions.has("subscribe") ? undefined : "Subscriptions are switched off here.";
}

/**
 * Makes a SQLite database a REST service, live where its file can be written.
 *
 * @throws TypeError | RangeError for an option that can't be; RocketError where the file can't be opened
 */
export async function createScaffold(options: ScaffoldOptions): Promise<Scaffold> {
  const resolved = resolveScaffoldOptions(options);
  const { path, tables, actions, clock, maxRows, reportError } = resolved;
  const isServed: IsServed = (table) => tables === undefined || tables.includes(table);
  if (resolved.create && !existsSync(path)) await createDatabase(path, clock);
  const isReadable = existsSync(path) && !canWrite(path);
  const parts = isReadable ? await openReadable(resolved) : await openLive(resolved, isServed);
  try {
    requireTables(parts.ledger, tables);
  } catch (error) {
    await parts.close();
    throw error;
  }
  const notLive = reasonNotLive(parts, resolved);
  const reader = new Reader(parts.connection, parts.ledger, clock, isServed);
  const settings = { notLive, maxRows };
  const service = new Service({ reader, writer: parts.writer, actions, settings, onError: reportError });
  let closing: Promise<void> | undefined;
  return {
    origin: service.answer,
    ...(parts.journal ? { journal: parts.journal } : {}),
    ...(notLive === undefined ? {} : { notLive }),
    collections: () =>
      [...reader.catalog.resources.values()].map((resource) => ({
        path: resource.path,
        count: Number(parts.connection.prepare(countRecords(resource).text).all()[0]?.[0] ?? 0),
      })),
    close() {
      closing ??= parts.close();
      return closing;
    },
  };
}
