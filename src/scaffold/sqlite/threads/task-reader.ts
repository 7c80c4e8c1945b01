import type { OriginResponse } from "../../../server/index.ts";
import { Denied } from "../../engine/denied.ts";
import { Naming } from "../../engine/names.ts";
import type { Guard } from "../../engine/snapshot.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { parseJson } from "../../json/json-reader.ts";
import { catalogOf, type IsServed } from "../../rest/catalog.ts";
import { read } from "../../rest/read.ts";
import { Refusal } from "../../rest/refusal.ts";
import { parseTarget } from "../../rest/target.ts";
import { RuleBook } from "../../rules/rule-book.ts";
import type { SqlFunction } from "../additions.ts";
import type { Connection } from "../driver.ts";
import { runAtOnce } from "../engine/at-once.ts";
import { Link } from "../engine/link.ts";
import { openReader, schemaVersion } from "../engine/open-reader.ts";
import { Served } from "../engine/served.ts";
import { SqliteSnapshot } from "../engine/snapshot.ts";
import { rollBack } from "../engine/transaction.ts";
import { bookmarkIn } from "../journal.ts";
import { inodeOf } from "../open-failure.ts";
import { isBusy } from "../sqlite-error.ts";
import type { DatabaseState, Failure, ReadOutcome, ReadTask, TaskViewer, ThreadSettings } from "./messages.ts";

/** Bodies above this go to the main thread as bytes, which are handed over without a copy. */
const maxCopied = 16 * 1024;

function failureOf(error: unknown): Failure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return { name, message, stack, code, errcode };
}

function portable(response: OriginResponse): OriginResponse {
  const { body } = response;
  if (typeof body !== "string" || body.length <= maxCopied) return response;
  return { ...response, body: new TextEncoder().encode(body) };
}

function viewerOf({ claims, key }: TaskViewer): Viewer {
  return { role: undefined, claims: claims === undefined ? undefined : (parseJson(claims) as Viewer["claims"]), key };
}

/** Answers GETs in a thread of its own, as the main thread's reader does. */
export class TaskReader {
  readonly #settings: ThreadSettings;
  readonly #isServed: IsServed;
  readonly #served: Served;
  readonly #guard: Guard;
  readonly #connect: () => Connection;
  #link: Link | undefined;
  #state: DatabaseState | undefined;

  constructor(settings: ThreadSettings, functions: Readonly<Record<string, SqlFunction>>) {
    const { path, isReadOnly, extensions, tables, basePath, rules, names } = settings;
    this.#settings = settings;
    this.#served = new Served(new Naming(names));
    const isAsked = (table: string): boolean => tables === undefined || tables.includes(table);
    this.#isServed = Object.assign(isAsked, { basePath });
    // No rule is a function here, so none has an error to tell.
    const book = rules && new RuleBook({ rules, isAsked });
    this.#guard = (snapshot, viewer) => book?.guard(snapshot, viewer) ?? snapshot;
    this.#connect = () => openReader(path, isReadOnly, { extensions, functions });
  }

  /** Does a task; never throws. */
  answer({ id, request, state }: ReadTask): ReadOutcome {
    let isStopped = false;
    const look = (): void => {
      if (Atomics.load(this.#settings.stop, 0) !== id) return;
      isStopped = true;
      throw new Error("The read was ended.");
    };
    try {
      if (state) this.#take(state);
      return this.#read(request, look);
    } catch (error) {
      if (isStopped) return { kind: "stopped" };
      if (error instanceof Refusal) return { kind: "answer", response: error.toResponse() };
      if (error instanceof Denied) return { kind: "denied" };
      return isBusy(error) ? { kind: "busy" } : { kind: "failure", failure: failureOf(error) };
    }
  }

  /** Closes the connection. */
  close(): void {
    this.#link?.close();
  }

  #take(state: DatabaseState): void {
    if (this.#state && this.#state.file !== state.file) this.#link?.renew();
    this.#state = state;
  }

  /** The connection; `undefined` where there is no file. */
  #open(): Connection | undefined {
    try {
      this.#link ??= new Link(this.#connect);
      return this.#link.current();
    } catch (error) {
      if (inodeOf(this.#settings.path) === undefined) return undefined;
      throw error;
    }
  }

  #read(request: ReadTask["request"], look: () => void): ReadOutcome {
    if (!this.#state) throw new Error("The thread does not know the database yet.");
    const { schema, unwatched, segment } = this.#state;
    const connection = this.#open();
    if (!connection) return { kind: "unopened" };
    connection.exec("BEGIN");
    try {
      const bookmark = segment === undefined ? undefined : bookmarkIn(connection, segment);
      const version = bookmark?.schemaVersion ?? schemaVersion(connection);
      if (version !== schema.version) return { kind: "schema" };
      const all = new SqliteSnapshot(connection, { ...this.#served.state(schema, unwatched), bookmark });
      const snapshot = this.#guard(all, viewerOf(request.viewer));
      const catalog = catalogOf(snapshot.schema, this.#isServed);
      const run = (): OriginResponse =>
        runAtOnce(read(snapshot, catalog, { ...request, body: "" }, parseTarget(request.target), this.#settings.live));
      return { kind: "answer", response: portable(connection.brake.guard(look, run)) };
    } finally {
      rollBack(connection);
    }
  }
}
