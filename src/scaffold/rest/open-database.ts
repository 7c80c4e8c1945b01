import { RocketError } from "../../protocol/index.ts";
import { retryWhenBusy } from "../sqlite/busy.ts";
import { openConnection } from "../sqlite/driver.ts";
import { createSqliteJournal, type SqliteJournal } from "../sqlite/journal.ts";
import type { Schema } from "../sqlite/schema.ts";
import { isReadOnly } from "../sqlite/sqlite-error.ts";
import type { IsServed } from "./catalog.ts";
import { journalLedger, schemaLedger } from "./ledger.ts";
import { Link } from "./link.ts";
import { openReader } from "./open-reader.ts";
import type { ResolvedScaffoldOptions } from "./options.ts";
import { Reader } from "./reader.ts";
import { recordFormatBelow } from "./record-format.ts";
import type { Ledger } from "./snapshot.ts";
import { Writer } from "./writer.ts";

/** An open database, to be closed as a whole. */
export interface OpenDatabase {
  readonly reader: Reader;
  readonly ledger: Ledger;
  /** How often another file has taken the database's place. */
  readonly replacements: () => number;
  /** Absent, as the writer is, where the file can't be written. */
  readonly journal?: SqliteJournal;
  readonly writer?: Writer;
  readonly close: () => Promise<void>;
  /** Closes, and takes out what the opening added to a database that had nothing of Rocket's. */
  readonly abandon: () => Promise<void>;
}

function tellOfWait({ path, reportError }: ResolvedScaffoldOptions): () => void {
  let isTold = false;
  return () => {
    if (isTold) return;
    isTold = true;
    const message = `${JSON.stringify(path)} is locked by another program: waiting for it, for up to 5 seconds.`;
    reportError(new RocketError("database-busy", message), "open");
  };
}

async function openLive(
  options: ResolvedScaffoldOptions,
  isServed: IsServed,
  onSchema: (schema: Schema) => void,
): Promise<OpenDatabase> {
  const { path, clock, reportError, retention, additions } = options;
  const onWait = tellOfWait(options);
  const links: Link[] = [];
  let replaced = 0;
  const journal = await createSqliteJournal({
    path,
    format: recordFormatBelow(isServed.basePath),
    clock,
    additions,
    tables: isServed,
    onWait,
    onSchema,
    onError: (error, { stage }) => reportError(error, stage),
    onReplaced: () => {
      replaced += 1;
      for (const link of links) link.renew();
    },
    ...(retention ? { retention } : {}),
  });
  try {
    for (const connect of [() => openReader(path, false, additions), () => openConnection(path, { additions })]) {
      links.push(await retryWhenBusy(() => new Link(connect), { clock, onWait }));
    }
  } catch (error) {
    for (const link of links) link.close();
    await journal.abandon();
    throw error;
  }
  const [reading, writing] = links as [Link, Link];
  const ledger = journalLedger(journal);
  const reader = new Reader(reading, ledger, clock, isServed);
  const writer = new Writer({ link: writing, ledger, clock, isServed, onError: reportError });
  const end = async (): Promise<void> => {
    await writer.close();
    reader.close();
  };
  return {
    ...{ reader, ledger, journal, writer, replacements: () => replaced },
    close: () => end().finally(() => journal.close()),
    abandon: () => end().finally(() => journal.abandon()),
  };
}

async function openReadable(options: ResolvedScaffoldOptions, isServed: IsServed): Promise<OpenDatabase> {
  const { path, clock, additions } = options;
  const onWait = tellOfWait(options);
  const link = await retryWhenBusy(() => new Link(() => openReader(path, true, additions)), {
    clock,
    onWait,
  });
  try {
    const ledger = await schemaLedger(link.current(), clock);
    const reader = new Reader(link, ledger, clock, isServed);
    const close = async (): Promise<void> => reader.close();
    return { reader, ledger, replacements: () => 0, close, abandon: close };
  } catch (error) {
    link.close();
    throw error;
  }
}

function isReadOnlyFile(error: unknown): boolean {
  return isReadOnly(error) || (error instanceof RocketError && isReadOnly(error.cause));
}

/**
 * Opens the database: for writing, with a journal, where its file allows that; else for reading.
 *
 * @param onSchema - told of each schema that comes later; must not throw
 * @throws RocketError where it can't be opened
 */
export async function openDatabase(
  options: ResolvedScaffoldOptions,
  isServed: IsServed,
  onSchema: (schema: Schema) => void,
): Promise<OpenDatabase> {
  try {
    return await openLive(options, isServed, onSchema);
  } catch (error) {
    if (isReadOnlyFile(error)) return openReadable(options, isServed);
    throw error;
  }
}
