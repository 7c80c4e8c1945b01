import { existsSync } from "node:fs";
import { RocketError } from "../../../protocol/index.ts";
import { Naming } from "../../engine/names.ts";
import { unavailable } from "../../rest/refusal.ts";
import { retryWhenBusy } from "../busy.ts";
import { type Connection, openConnection } from "../driver.ts";
import { createSqliteJournal } from "../journal.ts";
import { inodeOf, isEmptyFile } from "../open-failure.ts";
import { isReadOnly } from "../sqlite-error.ts";
import { SqliteEngine } from "./engine.ts";
import { journalLedger, schemaLedger } from "./ledger.ts";
import { Link } from "./link.ts";
import { openReader } from "./open-reader.ts";
import type { SqliteEngineOptions } from "./options.ts";
import { Reader } from "./reader.ts";
import { recordFormatBelow } from "./record-format.ts";
import { Served } from "./served.ts";
import { Writer } from "./writer.ts";

function tellOfWait({ path, reportError }: SqliteEngineOptions): () => void {
  let isTold = false;
  return () => {
    if (isTold) return;
    isTold = true;
    const message = `${JSON.stringify(path)} is locked by another program: waiting for it, for up to 5 seconds.`;
    reportError(new RocketError("database-busy", message), "open");
  };
}

/** Makes the file, in WAL mode, where that is asked for. @throws RocketError `database-invalid` for an empty one where it is not */
async function requireFile({ path, create, clock }: SqliteEngineOptions): Promise<void> {
  if (create && (!existsSync(path) || isEmptyFile(path))) {
    const connection = await retryWhenBusy(() => openConnection(path, { create: true }), { clock });
    try {
      connection.exec("PRAGMA journal_mode = WAL");
    } finally {
      connection.close();
    }
  } else if (isEmptyFile(path)) {
    const advice = "The option create makes a database of it.";
    throw new RocketError("database-invalid", `${JSON.stringify(path)} is an empty file. ${advice}`);
  }
}

/** A link that refuses to write into a file that is not at its path any more. */
function openForWriting({ path, additions }: SqliteEngineOptions): Link {
  let inode: string | undefined;
  const connect = (): Connection => {
    inode = inodeOf(path);
    return openConnection(path, { additions });
  };
  return new Link(connect, () => {
    const now = inodeOf(path);
    if (now === undefined) throw unavailable("The database's file was removed or renamed.");
    if (now !== inode) throw unavailable("Another file is taking the database's place.");
  });
}

async function openLive(options: SqliteEngineOptions, served: Served): Promise<SqliteEngine> {
  const { path, clock, reportError, retention, additions, isServed, onSchema } = options;
  const onWait = tellOfWait(options);
  const links: Link[] = [];
  let replaced = 0;
  const journal = await createSqliteJournal({
    path,
    format: recordFormatBelow(served, isServed.basePath),
    clock,
    additions,
    tables: (name) => served.isShown(name) && isServed(served.nameOf(name)),
    onWait,
    onSchema: (schema) => onSchema(served.schema(schema)),
    onError: (error, { stage }) => reportError(error, stage),
    onReplaced: () => {
      replaced += 1;
      for (const link of links) link.renew();
    },
    ...(retention ? { retention } : {}),
  });
  try {
    const connect = () => openReader(path, false, additions);
    links.push(await retryWhenBusy(() => new Link(connect), { clock, onWait, isEager: true }));
    links.push(await retryWhenBusy(() => openForWriting(options), { clock, onWait, isEager: true }));
  } catch (error) {
    for (const link of links) link.close();
    await journal.abandon();
    throw error;
  }
  const [reading, writing] = links as [Link, Link];
  const ledger = journalLedger(journal);
  const reader = new Reader(reading, ledger, served, clock);
  const writer = new Writer({ link: writing, ledger, served, clock, onError: reportError });
  return new SqliteEngine({ reader, ledger, served, live: { journal, writer }, replacements: () => replaced });
}

async function openReadable(options: SqliteEngineOptions, served: Served): Promise<SqliteEngine> {
  const { path, clock, additions } = options;
  const onWait = tellOfWait(options);
  const link = await retryWhenBusy(() => new Link(() => openReader(path, true, additions)), {
    clock,
    onWait,
    isEager: true,
  });
  try {
    const ledger = await schemaLedger(link.current(), clock);
    return new SqliteEngine({ reader: new Reader(link, ledger, served, clock), ledger, served, replacements: () => 0 });
  } catch (error) {
    link.close();
    throw error;
  }
}

function isReadOnlyFile(error: unknown): boolean {
  return isReadOnly(error) || (error instanceof RocketError && isReadOnly(error.cause));
}

/**
 * Opens a SQLite file as an engine: for writing, with a journal, where its file allows that; else for reading.
 *
 * @throws RocketError where it can't be opened
 */
export async function openSqlite(options: SqliteEngineOptions): Promise<SqliteEngine> {
  await requireFile(options);
  const served = new Served(new Naming(options.names));
  try {
    return await openLive(options, served);
  } catch (error) {
    if (isReadOnlyFile(error)) return openReadable(options, served);
    throw error;
  }
}
