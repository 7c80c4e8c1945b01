import { parseEventId, RocketError } from "../../../protocol/index.ts";
import type { Batch, Bookmark, Page } from "../../../server/index.ts";
import { LocalReset } from "../../engine/local-reset.ts";
import type { Session } from "../driver.ts";
import { readingSession } from "../own-transaction.ts";
import { armTables, type Missed } from "./arm.ts";
import { Arming } from "./arming.ts";
import { journalFailure } from "./failure.ts";
import { Follower } from "./follower.ts";
import { bookmarkOf, type Head, tick } from "./head.ts";
import { Looks } from "./looks.ts";
import { type Opening, readOpening } from "./opening.ts";
import type { PostgresJournal, PostgresJournalOptions, Ticking } from "./options.ts";
import { type ResolvedJournalOptions, resolveJournalOptions } from "./resolve-options.ts";
import { RowReader } from "./rows.ts";
import { setUp } from "./set-up.ts";
import { Trimmer } from "./trimmer.ts";
import type { NamedTable } from "./watch-list.ts";

/** How much of the past is read at once, about. */
const maxPageBytes = 4 * 1024 * 1024;

interface State extends Head {
  /** The check of the position that was asked for; `undefined` where it is not there. */
  readonly known: number | undefined;
}

async function readState(session: Session, position: number): Promise<State> {
  const sql = `SELECT segment, position, chk, total, first, schema_changes,
    (SELECT j.chk FROM rocket.journal j WHERE j.position = ${position}) FROM rocket.state`;
  const [row = []] = await session.script(sql);
  const [segment, place, check, total, first, schemaChanges, known] = row;
  return {
    ...{ segment: segment ?? "", position: Number(place), check: Number(check), total: Number(total) },
    ...{ first: Number(first), schemaChanges: schemaChanges ?? "" },
    known: known == null ? undefined : Number(known),
  };
}

class PostgresDatabaseJournal implements PostgresJournal {
  readonly #options: ResolvedJournalOptions;
  readonly #rows: RowReader;
  readonly #follower: Follower;
  readonly #looks: Looks;
  readonly #trimmer: Trimmer;
  readonly #listeners: Set<(batch: Batch) => void> = new Set();
  readonly #arming: Arming;
  #isClosed = false;

  constructor(options: ResolvedJournalOptions, head: Head, missed: Missed) {
    const { pool, format, watchList, onError } = options;
    this.#options = options;
    this.#arming = new Arming(pool, options, missed);
    this.#rows = new RowReader(format, watchList);
    this.#follower = new Follower(
      { ...options, rows: this.#rows },
      {
        onBatch: (batch) => this.#deliver(batch),
        onSchema: () => this.#onSchema(),
        onSegment: options.onSegment,
      },
      head,
    );
    this.#looks = new Looks(this.#follower, options);
    this.#trimmer = new Trimmer({ ...options, onError: (error) => onError(error, { stage: "trim" }) });
  }

  get head(): Bookmark {
    return this.#follower.bookmark;
  }

  get isAway(): boolean {
    return this.#looks.isAway;
  }

  get segment(): string {
    return this.#follower.head.segment;
  }

  get unwatched(): ReadonlyMap<string, string> {
    return this.#arming.missed.unwatched;
  }

  tail(listener: (batch: Batch) => void): () => void {
    // A function of its own, so that one listener can tail twice.
    const own = (batch: Batch): void => listener(batch);
    this.#listeners.add(own);
    this.#looks.start();
    return () => {
      this.#listeners.delete(own);
      if (this.#listeners.size === 0) this.#looks.stop();
    };
  }

  async poll(): Promise<void> {
    try {
      await this.#looks.poll();
    } catch (error) {
      throw journalFailure(error);
    }
  }

  async locate(eventId: string): Promise<number | undefined> {
    const id = parseEventId(eventId);
    if (id?.kind !== "direct") return undefined;
    const { segment, position, check } = id;
    return this.#read(async (session) => {
      const state = await readState(session, position);
      const isKnown = position === 0 ? check === 0 && state.first === 0 : state.known === check;
      return isKnown && state.segment === segment ? position : undefined;
    });
  }

  async read(position: number, limit: number): Promise<Page | undefined> {
    if (!Number.isInteger(limit) || limit < 1) {
      throw new RangeError(`limit must be a whole number of at least 1, not ${limit}.`);
    }
    return this.#read(async (session) => {
      const state = await readState(session, position);
      if (position > state.position || position < state.first || state.segment !== this.segment) return undefined;
      if (position === state.position) return { ...bookmarkOf(state), after: position, changes: [], more: false };
      const limits = { rows: limit, bytes: maxPageBytes, upTo: state.position };
      const stretch = await this.#rows.after(session, position, limits);
      if (!stretch) return undefined;
      const { changes, end } = stretch;
      const { segment } = state;
      return { ...bookmarkOf({ ...end, segment }), after: position, changes, more: end.position < state.position };
    });
  }

  standIn(session: Session): Promise<Opening> {
    return readOpening(session);
  }

  tickIn(session: Session): Ticking {
    const end = this.#looks.expect();
    const askedAt = this.#options.clock.now();
    const ticking = this.#follower.tickIn(session);
    const asked = ticking.then(({ ticked }) => (ticked.isComplete ? bookmarkOf(ticked) : undefined));
    asked.catch(() => undefined);
    return { asked, take: async () => this.#looks.take(await ticking, askedAt), end };
  }

  nudge(): void {
    this.#looks.nudge();
  }

  async settle(timeoutMs: number, ticking?: Ticking): Promise<Bookmark | undefined> {
    const given = await ticking?.asked;
    let cancel: () => void = () => undefined;
    const late = new Promise<undefined>((resolve) => {
      cancel = this.#options.clock.setTimer(() => resolve(undefined), timeoutMs);
    });
    const told = (async () => {
      if (!(await ticking?.take().catch(() => false))) await this.poll();
      return this.head;
    })().finally(() => ticking?.end());
    try {
      const found = await Promise.race([told.catch(() => undefined), late]);
      return given ?? found;
    } finally {
      cancel();
    }
  }

  async arm(): Promise<void> {
    if (this.#isClosed) return;
    await this.#arming.run();
    await this.poll();
  }

  get untouched(): ReadonlyMap<string, string> {
    return this.#arming.missed.untouched;
  }

  unasked(tables: readonly NamedTable[]): readonly NamedTable[] {
    return this.#arming.unasked(tables);
  }

  async touch(tables: readonly NamedTable[]): Promise<void> {
    const fresh = await this.#arming.touch(tables);
    // Others may have armed them, and told of changes that nobody here listened to.
    const { format } = this.#options;
    const pathOf = (table: NamedTable): string =>
      format.collectionPath({ ...table, columns: [], key: [], isKeyDeferrable: false });
    if (fresh.length > 0) this.reset(fresh.map(pathOf));
  }

  reset(collections: readonly string[]): void {
    const { head } = this;
    const changes = collections.map((collection) => new LocalReset(head.position, collection));
    this.#deliver({ ...head, after: head.position, changes });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all([this.#looks.close(), this.#trimmer.close(), this.#arming.ended()]);
  }

  /** Reads after everything committed before has been given to the tail. */
  async #read<Result>(read: (session: Session) => Promise<Result>): Promise<Result | undefined> {
    await this.poll();
    if (this.#isClosed) return undefined;
    try {
      return await read(readingSession(this.#options.pool));
    } catch (error) {
      throw journalFailure(error);
    }
  }

  #deliver(batch: Batch): void {
    for (const listener of this.#listeners) listener(batch);
  }

  /** New tables need triggers, and some may have lost theirs. What decides who may read what may be other than before. */
  #onSchema(): void {
    this.#options.onSchema();
    this.reset(["/"]);
    this.#arming.run().catch((error) => this.#options.onError(error, { stage: "arm" }));
  }
}

/**
 * Puts triggers into a PostgreSQL database that write each change into an outbox, in the writer's own transaction, and
 * follows it. Any number of processes may do so: each tells the same changes, in the order of their commits, at the same
 * positions.
 *
 * Not seen are writes with triggers switched off, which the table's owner can do for a moment: it is noticed afterwards,
 * and those who watch the table get a fresh 200.
 *
 * @throws TypeError | RangeError naming the option and its value
 * @throws RocketError `journal-denied`, `journal-readonly`, `journal-busy`, `database-invalid`
 */
export async function createPostgresJournal(options: PostgresJournalOptions): Promise<PostgresJournal> {
  const resolved = resolveJournalOptions(options);
  const { pool, maxTickChanges, waitMs } = resolved;
  try {
    await setUp(pool);
    const missed = await armTables(pool, resolved);
    const tickOptions = { maxChanges: maxTickChanges, waitMs, mustWait: true };
    let head = await tick(pool, { ...tickOptions, mustLook: true });
    while (!head.isComplete) head = await tick(pool, { ...tickOptions, mustLook: false });
    return new PostgresDatabaseJournal(resolved, head, missed);
  } catch (error) {
    if (error instanceof RocketError) throw error;
    throw journalFailure(error);
  }
}
