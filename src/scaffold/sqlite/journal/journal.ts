import { parseEventId, RocketError } from "../../../protocol/index.ts";
import type { Batch, Bookmark, Page } from "../../../server/index.ts";
import { LocalReset } from "../../engine/local-reset.ts";
import { retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { inRead } from "../read-transaction.ts";
import type { Schema } from "../schema.ts";
import { isBusy } from "../sqlite-error.ts";
import { bookmarkIn } from "./bookmark.ts";
import { type OpenFile, openFileInTime } from "./file.ts";
import { Follower, type LookReason } from "./follower.ts";
import type { SqliteJournal, SqliteJournalOptions } from "./options.ts";
import { type ResolvedJournalOptions, resolveJournalOptions } from "./resolve-options.ts";
import { hasSegment } from "./segments.ts";
import { armFirst, undoArming } from "./start.ts";
import { Trimmer } from "./trim.ts";
import { changedViews } from "./watched.ts";

/** How much of the past is read at once, about. */
const maxPageBytes = 4 * 1024 * 1024;

const unquietPollMs = 25;

class SqliteFileJournal implements SqliteJournal {
  readonly #options: ResolvedJournalOptions;
  readonly #follower: Follower;
  readonly #trimmer: Trimmer;
  readonly #listeners: Set<(batch: Batch) => void> = new Set();
  #cancelTimer: (() => void) | undefined;
  #retrying: Promise<void> | undefined;
  #isClosed = false;
  /** The schema that was told of last. */
  #seen: Schema;
  #troubledSince: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #reported: string | undefined;

  /**
   * @param opened - connections to the file, which stay open where this throws
   * @throws what the file's opening throws; an error that `isBusy` tells
   */
  constructor(options: ResolvedJournalOptions, opened: OpenFile) {
    this.#options = options;
    this.#follower = new Follower(
      { ...options, opened, onUnwatched: (error) => options.onError(error, { stage: "arm" }) },
      {
        onBatch: (batch) => this.#deliver(batch),
        onSchema: (schema) => this.#onSchema(schema),
        onReplaced: options.onReplaced,
        onMissing: (error) => options.onError(error, { stage: "poll" }),
      },
    );
    this.#trimmer = new Trimmer({
      clock: options.clock,
      maxChanges: options.maxChanges,
      maxBytes: options.maxBytes,
      maxAgeMs: options.maxAgeMs,
      file: () => this.#follower.file,
      onError: (error) => options.onError(error, { stage: "trim" }),
    });
    this.#trimmer.note(this.head.position);
    this.#seen = this.schema;
  }

  get head(): Bookmark {
    return this.#follower.head;
  }

  get isAway(): boolean {
    return this.#troubledSince !== undefined || this.#follower.isBlind;
  }

  get schema(): Schema {
    return this.#follower.file.schema;
  }

  get segment(): string {
    return this.#follower.file.segment;
  }

  get armedVersion(): number {
    return this.#follower.file.armedVersion;
  }

  get unwatched(): ReadonlyMap<string, string> {
    return this.#follower.file.unwatched;
  }

  tail(listener: (batch: Batch) => void): () => void {
    // A function of its own, so that one listener can tail twice.
    const own = (batch: Batch): void => listener(batch);
    this.#listeners.add(own);
    this.#schedule();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#stopTimer();
    };
  }

  poll(): Promise<void> {
    return this.#advance("asked");
  }

  arm(): Promise<void> {
    return this.#advance("write");
  }

  async #advance(reason: LookReason): Promise<void> {
    if (this.#isClosed) return;
    if (this.#retrying && reason === "asked") return this.#retrying;
    await this.#retrying?.catch(() => undefined);
    if (this.#isClosed) return;
    try {
      this.#follower.advance(reason);
      this.#lookedAt = this.#options.clock.now();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const retrying = this.#retry(reason).finally(() => {
        if (this.#retrying === retrying) this.#retrying = undefined;
      });
      this.#retrying = retrying;
      return retrying;
    }
  }

  async locate(eventId: string): Promise<number | undefined> {
    const id = parseEventId(eventId);
    if (id?.kind !== "direct") return undefined;
    return this.#read(() => {
      const { reader, rows } = this.#follower.file;
      return hasSegment(reader, id.segment) && rows.has(id) ? id.position : undefined;
    });
  }

  async read(position: number, limit: number): Promise<Page | undefined> {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`limit must be a whole number of at least 1, not ${limit}.`);
    }
    return this.#read(() => {
      const { rows } = this.#follower.file;
      const head = rows.head();
      if (position > head.position || (rows.first() ?? 1) > position + 1) return undefined;
      if (position === head.position) {
        return { ...this.#follower.bookmark(head), after: position, changes: [], more: false };
      }
      const { changes, end } = rows.after(position, limit, maxPageBytes);
      return { ...this.#follower.bookmark(end), after: position, changes, more: end.position < head.position };
    });
  }

  bookmarkIn(connection: Connection): Bookmark & { readonly schemaVersion: number } {
    return bookmarkIn(connection, this.segment);
  }

  async abandon(): Promise<void> {
    if (this.#isClosed) return;
    await this.#end();
    try {
      await asJournalBusy(this.#follower.file.undo());
    } finally {
      this.#follower.close();
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#end();
    this.#follower.close();
  }

  async #end(): Promise<void> {
    this.#isClosed = true;
    this.#stopTimer();
    this.#trimmer.close();
    await this.#retrying?.catch(() => undefined);
  }

  /** Reads in one transaction, after everything committed before has been given to the tail. */
  async #read<Result>(read: () => Result): Promise<Result | undefined> {
    await this.poll();
    if (this.#isClosed) return undefined;
    const { clock } = this.#options;
    return asJournalBusy(retryWhenBusy(() => inRead(this.#follower.file.reader, read), { clock }));
  }

  async #retry(reason: LookReason): Promise<void> {
    await asJournalBusy(
      retryWhenBusy(
        () => {
          if (!this.#isClosed) this.#follower.advance(reason);
        },
        { clock: this.#options.clock },
      ),
    );
  }

  #deliver(batch: Batch): void {
    if (batch.lost) this.#trimmer.restart();
    for (const listener of this.#listeners) listener(batch);
    this.#trimmer.note(batch.position);
  }

  /** What a view shows is another thing once it is made anew, whether or not a table has changed. */
  #onSchema(schema: Schema): void {
    const changed = changedViews(this.#seen, schema);
    this.#seen = schema;
    this.#options.onSchema(schema);
    const { head } = this;
    const changes = changed.map((view) => new LocalReset(head.position, this.#options.format.collectionPath(view)));
    if (changes.length > 0) this.#deliver({ ...head, after: head.position, changes });
  }

  #schedule(): void {
    if (this.#isClosed || this.#cancelTimer || this.#listeners.size === 0) return;
    this.#cancelTimer = this.#options.clock.setTimer(() => {
      this.#cancelTimer = undefined;
      if (!this.#retrying && !this.#isSeen) this.#tick();
      this.#schedule();
    }, this.#pollMs);
  }

  /** Whether somebody has asked just now, and was told what is new. */
  get #isSeen(): boolean {
    return this.#troubledSince === undefined && this.#options.clock.now() - this.#lookedAt < this.#pollMs;
  }

  /** While the schema changes, and while `rocket migrate` runs, each look may be one too many. */
  get #pollMs(): number {
    const { pollMs } = this.#options;
    return this.#follower.isUnquiet ? Math.max(pollMs, unquietPollMs) : pollMs;
  }

  #stopTimer(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #tick(): void {
    try {
      this.#follower.advance("tick");
      this.#troubledSince = undefined;
      this.#reported = undefined;
    } catch (error) {
      this.#report(error);
    }
  }

  /** Locks come and go: they are reported when they stay. Each trouble is reported once. */
  #report(error: unknown): void {
    const now = this.#options.clock.now();
    this.#troubledSince ??= now;
    if (isBusy(error) && now - this.#troubledSince < 5_000) return;
    const text = String(error);
    if (this.#reported === text) return;
    this.#reported = text;
    this.#options.onError(error, { stage: "poll" });
  }
}

async function asJournalBusy<Result>(attempt: Promise<Result>): Promise<Result> {
  try {
    return await attempt;
  } catch (error) {
    if (!(error instanceof RocketError) || error.code !== "database-busy") throw error;
    throw new RocketError("journal-busy", `The journal could not be read. ${error.message}`, { cause: error });
  }
}

/**
 * Puts triggers into a SQLite database that write each change into a journal, and follows it. Writes of every process
 * and tool are seen, in commit order, when they are committed.
 *
 * Not seen are writes with triggers switched off, edits of the file itself, and edits between a change of the schema
 * and the moment when it is noticed. Not exact are `UPDATE OR REPLACE` whose cascade deletes the row that is being
 * updated, and comparisons inside the expression of a unique index that rest on a column's affinity. Where a write
 * changes its own row through a foreign key, the table's watchers get a fresh 200.
 *
 * @throws TypeError | RangeError naming the option and its value
 * @throws RocketError `database-missing`, `database-invalid`, `driver-missing`, `journal-readonly`, `journal-busy`
 */
export async function createSqliteJournal(options: SqliteJournalOptions): Promise<SqliteJournal> {
  const resolved = resolveJournalOptions(options);
  const { clock, onWait } = resolved;
  const eager = { clock, onWait, isEager: true };
  // Where others write all the time, one thing at a time comes through between them.
  const opened = await asJournalBusy(openFileInTime(resolved.path, resolved.additions, eager));
  try {
    await asJournalBusy(armFirst(opened.writer, resolved));
    return await asJournalBusy(retryWhenBusy(() => new SqliteFileJournal(resolved, opened), eager));
  } catch (error) {
    await undoArming(opened.writer, resolved).catch((failure) => resolved.onError(failure, { stage: "undo" }));
    opened.reader.close();
    opened.writer.close();
    throw error;
  }
}
