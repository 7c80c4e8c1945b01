import { formatEventId, parseEventId } from "../../src/protocol/index.ts";
import type { Batch, Bookmark, Change, Clock, Journal, MemoryJournal, Page } from "../../src/server/index.ts";
import type { Mark } from "./history.ts";

/** What an unruly journal does to its readers. */
export interface Unruliness {
  /** Changes of one page at most. */
  readonly pageChanges: number;
  /** Milliseconds from a commit until the tail tells. */
  readonly tailDelayMs: () => number;
  /** Milliseconds that a read or a poll takes. */
  readonly readDelayMs: () => number;
  /** True where a read fails. */
  readonly failsToRead: () => boolean;
}

/** Which segments there were, and what was reset; outlives the hubs over it. */
export class JournalPast {
  segment = "s0";
  epoch = 0;
  trimmed = 0;
  /** Positions of changes that are told by a reset of their collection. */
  readonly resets: Set<number> = new Set();
  readonly #epochs: Map<string, number> = new Map([["s0", 0]]);
  #segments = 1;

  /** Starts another segment; where the history is lost, positions of those before mean nothing any more. */
  begin(isLost: boolean): void {
    if (isLost) this.epoch += 1;
    this.segment = `s${this.#segments++}`;
    this.#epochs.set(this.segment, this.epoch);
  }

  /** The Event-ID of a position of a segment. */
  name(segment: string, position: number): string {
    return formatEventId(segment, position, 7);
  }

  /** What an Event-ID means, whether or not it can be resumed from. */
  mark(eventId: string): Mark | undefined {
    const parsed = parseEventId(eventId);
    if (parsed?.kind !== "direct") return undefined;
    const epoch = this.#epochs.get(parsed.segment);
    return epoch === undefined ? undefined : { epoch, position: parsed.position };
  }
}

/** Counts of the paths that were taken. */
export interface JournalCounts {
  reads: number;
  pages: number;
  cutPages: number;
  trimmedReads: number;
  failures: number;
  mergedBatches: number;
}

/**
 * A journal over a memory store's that behaves as one over a database does: its tail comes late and joins
 * transactions, reads take time and fail, pages are cut within transactions, tables are reset, the history is lost.
 */
export class UnrulyJournal implements Journal {
  readonly counts: JournalCounts;
  readonly #base: MemoryJournal;
  readonly #past: JournalPast;
  readonly #clock: Clock;
  readonly #ways: Unruliness;
  readonly #untail: () => void;
  readonly #listeners: Set<(batch: Batch) => void> = new Set();
  #head: number;
  #queue: Batch[] = [];

  constructor(base: MemoryJournal, past: JournalPast, clock: Clock, ways: Unruliness, counts: JournalCounts) {
    this.#base = base;
    this.#past = past;
    this.#clock = clock;
    this.#ways = ways;
    this.counts = counts;
    this.#head = base.head.position;
    this.#untail = base.tail((batch) => {
      this.#queue.push(batch);
      const delay = ways.tailDelayMs();
      if (delay > 0) clock.setTimer(() => this.#tell(), delay);
      else this.#tell();
    });
  }

  get head(): Bookmark {
    return this.#bookmark(this.#head);
  }

  /** The history up to now is lost: nothing before can be resumed from, what was not told is never told. */
  lose(): void {
    this.#past.begin(true);
    this.#queue = [];
    const after = this.#head;
    this.#head = this.#base.head.position;
    const batch: Batch = { ...this.head, after, changes: [], lost: true };
    for (const listener of this.#listeners) listener(batch);
  }

  /** Nothing is told any more: the process that listened is gone. */
  detach(): void {
    this.#untail();
    this.#listeners.clear();
  }

  tail(listener: (batch: Batch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async poll(): Promise<void> {
    await this.#wait();
    this.#tell();
  }

  async locate(eventId: string): Promise<number | undefined> {
    await this.#wait();
    return this.isKnown(eventId) ? this.#past.mark(eventId)?.position : undefined;
  }

  /** Whether all that follows a position can be told right now. */
  isKnown(eventId: string): boolean {
    const mark = this.#past.mark(eventId);
    if (mark?.epoch !== this.#past.epoch) return false;
    return mark.position >= this.#past.trimmed && mark.position <= this.#base.head.position;
  }

  async read(position: number, limit: number): Promise<Page | undefined> {
    this.counts.reads += 1;
    await this.#wait();
    if (this.#ways.failsToRead()) {
      this.counts.failures += 1;
      throw new Error("The journal is busy.");
    }
    const page = await this.#base.read(position, Math.min(limit, this.#ways.pageChanges));
    if (!page) {
      this.counts.trimmedReads += 1;
      return undefined;
    }
    this.counts.pages += 1;
    if (page.more) this.counts.cutPages += 1;
    return { ...page, ...this.#bookmark(page.position), changes: this.#shown(page.changes) };
  }

  async #wait(): Promise<void> {
    const delay = this.#ways.readDelayMs();
    if (delay > 0) await new Promise<void>((resolve) => this.#clock.setTimer(resolve, delay));
  }

  #bookmark(position: number): Bookmark {
    return { position, eventId: this.#past.name(this.#past.segment, position) };
  }

  #tell(): void {
    const queue = this.#queue;
    const [first] = queue;
    const last = queue.at(-1);
    if (!first || !last) return;
    this.#queue = [];
    this.#head = last.position;
    if (queue.length > 1) this.counts.mergedBatches += 1;
    const changes = this.#shown(queue.flatMap((batch) => batch.changes));
    const batch: Batch = { ...this.head, after: first.after, changes };
    for (const listener of this.#listeners) listener(batch);
  }

  #shown(changes: readonly Change[]): Change[] {
    return changes.map((change) =>
      this.#past.resets.has(change.position)
        ? {
            position: change.position,
            kind: "reset",
            collection: change.collection,
            url: "",
            represent: () => change.represent(),
          }
        : change,
    );
  }
}
