import type { Batch, Bookmark } from "../../../server/index.ts";
import type { BoundStatement, Pool, Row, Session } from "../driver.ts";
import { readingSession } from "../own-transaction.ts";
import {
  beginSegment,
  bookmarkOf,
  type Head,
  type Ticked,
  type TickOptions,
  tickAndRead,
  tickedOf,
  tickSql,
} from "./head.ts";
import { type RowReader, rowsAfter } from "./rows.ts";

/** How much is given to the tail at once, about: of more, the collections that it is about are told as changed. */
const maxBatchBytes = 32 * 1024 * 1024;
const anyNumber = 2_147_483_647;
/** What is read with a tick: more is read by itself. */
const fewRows = { rows: 500, bytes: 1024 * 1024, upTo: Number.MAX_SAFE_INTEGER };

/** What was found. */
type Found = "news" | "nothing" | "more";

/** What a writer's own tick gave: nothing of it is so before its transaction is committed. */
export interface OwnTick {
  /** Where the follower stood when it was asked for. */
  readonly after: Head;
  readonly ticked: Ticked;
  /** What came after that, as far as it is little. */
  readonly rows: readonly Row[];
}

/** What a follower tells. None of it may throw. */
export interface FollowerEvents {
  readonly onBatch: (batch: Batch) => void;
  /** Tables were made, changed or dropped; before the changes that follow it. */
  readonly onSchema: () => void;
  /** The segment is another one; before the batch that says so. */
  readonly onSegment: () => void;
}

/** What a follower needs. */
export interface FollowerOptions {
  readonly pool: Pool;
  readonly rows: RowReader;
  readonly maxTickChanges: number;
  readonly waitMs: number;
}

/** Moves the journal on, and gives what is new since the last time. One call at a time. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #events: FollowerEvents;
  #head: Head;

  /** @param head - where it begins */
  constructor(options: FollowerOptions, events: FollowerEvents, head: Head) {
    this.#options = options;
    this.#events = events;
    this.#head = head;
  }

  get head(): Head {
    return this.#head;
  }

  get bookmark(): Bookmark {
    return bookmarkOf(this.#head);
  }

  /** Gives everything new to `onBatch`. `more` says that another tick is needed. */
  async advance(options: Pick<TickOptions, "mustWait" | "mustLook">): Promise<Found> {
    const { ticked, rows } = await this.#tick(options, rowsAfter(this.#head.position, fewRows));
    return this.#give(ticked, rows);
  }

  /**
   * Asks for a tick at the end of a writer's transaction, in one message with what ends it. Another process's is not waited
   * for.
   */
  async tickIn(session: Session): Promise<OwnTick> {
    const after = this.#head;
    const { text, values } = rowsAfter(after.position, fewRows);
    const asked = { maxChanges: this.#options.maxTickChanges, mustWait: false, mustLook: false };
    const [[row = []], rows] = await Promise.all([
      session.query(tickSql(asked), [], "keep"),
      session.query(text, values, "keep"),
    ]);
    return { after, ticked: tickedOf(row), rows };
  }

  /** As `advance`, of what is committed by now. `undefined` where the head has moved, and is not there yet. */
  async take({ after, ticked, rows }: OwnTick): Promise<Found | undefined> {
    if (after === this.#head) return this.#give(ticked, rows);
    const { segment, position } = this.#head;
    const isThere = ticked.isComplete && segment === ticked.segment && position >= ticked.position;
    return isThere ? "nothing" : undefined;
  }

  async #give(found: Ticked, rows: readonly Row[]): Promise<Found> {
    const isNew = await this.#take(found, rows);
    if (!found.isComplete) return "more";
    return isNew ? "news" : "nothing";
  }

  #tick(options: Pick<TickOptions, "mustWait" | "mustLook">, read?: BoundStatement): ReturnType<typeof tickAndRead> {
    const { pool, maxTickChanges, waitMs } = this.#options;
    return tickAndRead(pool, { ...options, maxChanges: maxTickChanges, waitMs }, read);
  }

  /** @param rows - what came after the head, as far as that is little */
  async #take(found: Ticked, rows: readonly Row[]): Promise<boolean> {
    const former = this.#head;
    const isTrimmed = former.position > 0 && former.position <= found.first;
    if (found.segment !== former.segment || isTrimmed) {
      this.#lose(found);
      return true;
    }
    const read = await this.#read(former, found, rows);
    if (read === "elsewhere") {
      // The database is an older one than was told from. Whoever notices it first begins the segment for all.
      await beginSegment(this.#options.pool, former.segment);
      this.#lose((await this.#tick({ mustWait: true, mustLook: true })).ticked);
      return true;
    }
    if (read === "trimmed") {
      this.#lose(found);
      return true;
    }
    if (found.schemaChanges !== former.schemaChanges) this.#events.onSchema();
    this.#head = found;
    if (found.position === former.position) return found.schemaChanges !== former.schemaChanges;
    this.#events.onBatch({ ...bookmarkOf(found), after: former.position, changes: read });
    return true;
  }

  /** What comes after `from`, unless it is not there any more, or the row `from` itself is not. */
  async #read(from: Head, found: Head, known: readonly Row[]): Promise<Batch["changes"] | "elsewhere" | "trimmed"> {
    const { rows } = this.#options;
    const session = readingSession(this.#options.pool);
    const { position: upTo, total, check } = found;
    if (upTo === from.position) return check === from.check ? [] : "elsewhere";
    if (upTo < from.position) return "elsewhere";
    const isLarge = total - from.total > maxBatchBytes;
    const limits = { rows: isLarge ? 1 : anyNumber, bytes: Number.MAX_SAFE_INTEGER, upTo };
    // Others may have given further positions since the tick.
    const told = known.filter(([position]) => Number(position) <= upTo);
    const isAll = Number(told.at(-1)?.[0]) === upTo;
    const stretch = isAll
      ? await rows.stretchOf(session, from.position, told)
      : await rows.after(session, from.position, limits);
    if (!stretch) return "trimmed";
    const isSame = from.position === 0 || stretch.startCheck === from.check;
    if (!isSame) return "elsewhere";
    return isLarge ? rows.resetsAfter(session, from.position, upTo) : stretch.changes;
  }

  #lose(found: Head): void {
    if (found.segment !== this.#head.segment) this.#events.onSegment();
    this.#head = found;
    this.#events.onSchema();
    this.#events.onBatch({ ...bookmarkOf(found), after: found.position, changes: [], lost: true });
  }
}
