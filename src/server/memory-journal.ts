import { formatEventId, parseEventId } from "../protocol/index.ts";
import { changeBytes } from "./change-size.ts";
import type { Batch, Bookmark, Change, Image, Journal, Page, Representation } from "./ports/journal.ts";

/** A change to be committed: the journal gives it its position, and shows its record. */
export type NewChange = Omit<Change, "position" | "represent" | "representBefore">;

/** How records are shown. */
type Ways = Required<Pick<MemoryJournalOptions, "represent">> & Pick<MemoryJournalOptions, "representBefore">;

class CommittedChange implements Change {
  readonly position: number;
  readonly kind: Change["kind"];
  readonly collection: string;
  readonly url: string;
  readonly before: Image | undefined;
  readonly after: Image | undefined;
  readonly bytes: number;
  readonly #ways: Ways;
  #representation: Representation | undefined;

  constructor(change: NewChange, position: number, ways: Ways) {
    this.position = position;
    this.kind = change.kind;
    this.collection = change.collection;
    this.url = change.url;
    this.before = change.before;
    this.after = change.after;
    this.bytes = changeBytes(change);
    this.#ways = ways;
  }

  represent(): Representation {
    this.#representation ??= this.#ways.represent(this);
    return this.#representation;
  }

  representBefore(): Representation | undefined {
    return this.kind === "update" ? this.#ways.representBefore?.(this) : undefined;
  }
}

/** How a memory journal is made. */
export interface MemoryJournalOptions {
  /** The name of its positions' segment; letters, digits, `-`, `_`. Default: made at random. */
  readonly segment?: string;
  /** How many changes are kept. Default 10,000; at least 1. */
  readonly maxChanges?: number;
  /** How many bytes they hold, about. Default 64 MiB; at least 1. The last transaction is kept whatever it holds. */
  readonly maxBytes?: number;
  /** Shows a record as the origin's GET does. Default: the image as a JSON object. */
  readonly represent?: (change: Change) => Representation;
  /**
   * Shows a record as the origin's GET did before an update. With it, those who ask are told changes by deltas: see
   * {@link Change.representBefore} for what that takes. Default: nothing is told by deltas.
   */
  readonly representBefore?: (change: Change) => Representation;
}

/** A journal in this process's memory, for tests and for embedding. It forgets everything with the process. */
export interface MemoryJournal extends Journal {
  /** Appends one transaction and tells the tail. Gives where it ends. */
  commit(changes: readonly NewChange[]): Bookmark;
  /** Forgets the changes up to `position`. */
  trim(position: number): void;
  /** Starts over under a new segment, as after a restore: everyone gets a fresh 200. Gives where it begins. */
  lose(): Bookmark;
}

function representAsJson(change: Change): Representation {
  return { contentType: "application/json", body: JSON.stringify((change.after satisfies Image | undefined) ?? null) };
}

class InMemoryJournal implements MemoryJournal {
  #segment: string;
  #losses = 0;
  readonly #maxChanges: number;
  readonly #ways: Ways;
  readonly #listeners: Set<(batch: Batch) => void> = new Set();
  readonly #maxBytes: number;
  #changes: Change[] = [];
  #bytes = 0;
  #trimmed = 0;
  #position = 0;

  constructor(options: MemoryJournalOptions) {
    const { segment, maxChanges = 10_000, maxBytes = 64 * 1024 * 1024, represent = representAsJson } = options;
    const { representBefore } = options;
    this.#segment = segment ?? `m${Math.random().toString(36).slice(2, 12)}`;
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(this.#segment)) {
      throw new TypeError(`segment must be 1 to 64 letters, digits, "-" or "_", not ${JSON.stringify(segment)}.`);
    }
    if (!Number.isInteger(maxChanges) || maxChanges < 1) {
      throw new RangeError(`maxChanges must be a whole number of at least 1, not ${maxChanges}.`);
    }
    if (!Number.isInteger(maxBytes) || maxBytes < 1) {
      throw new RangeError(`maxBytes must be a whole number of at least 1, not ${maxBytes}.`);
    }
    this.#maxChanges = maxChanges;
    this.#maxBytes = maxBytes;
    this.#ways = { represent, ...(representBefore && { representBefore }) };
  }

  get head(): Bookmark {
    return this.#bookmark(this.#position);
  }

  commit(changes: readonly NewChange[]): Bookmark {
    const after = this.#position;
    const committed = changes.map((change) => new CommittedChange(change, ++this.#position, this.#ways));
    this.#changes.push(...committed);
    for (const { bytes } of committed) this.#bytes += bytes;
    // Trimmed in steps, so that a commit costs what it adds.
    if (this.#changes.length >= this.#maxChanges * 2) this.trim(this.#position - this.#maxChanges);
    if (this.#bytes > this.#maxBytes) this.#trimBytes(after);
    const batch = { ...this.head, after, changes: committed };
    if (committed.length > 0) for (const listener of this.#listeners) listener(batch);
    return this.head;
  }

  trim(position: number): void {
    const upTo = Math.min(position, this.#position);
    if (upTo <= this.#trimmed) return;
    for (const change of this.#changes.slice(0, upTo - this.#trimmed)) this.#bytes -= changeBytes(change);
    this.#changes = this.#changes.slice(upTo - this.#trimmed);
    this.#trimmed = upTo;
  }

  /** Trims to half of what is allowed, so that the next trim is not soon; `last` and what is before it may go. */
  #trimBytes(last: number): void {
    let bytes = this.#bytes;
    let upTo = this.#trimmed;
    for (const change of this.#changes) {
      if (bytes <= this.#maxBytes / 2 || change.position > last) break;
      bytes -= changeBytes(change);
      upTo = change.position;
    }
    this.trim(upTo);
  }

  lose(): Bookmark {
    this.#losses += 1;
    this.#segment = `${this.#segment.replace(/\.\d+$/, "")}.${this.#losses}`;
    const after = this.#position;
    this.#position += 1;
    this.#changes = [];
    this.#bytes = 0;
    this.#trimmed = this.#position;
    for (const listener of this.#listeners) listener({ ...this.head, after, changes: [], lost: true });
    return this.head;
  }

  tail(listener: (batch: Batch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async poll(): Promise<void> {
    // Commits tell the tail at once.
  }

  async locate(eventId: string): Promise<number | undefined> {
    const parsed = parseEventId(eventId);
    if (parsed?.kind !== "direct" || parsed.segment !== this.#segment) return undefined;
    const { position, check } = parsed;
    return check === 0 && position >= this.#trimmed && position <= this.#position ? position : undefined;
  }

  async read(position: number, limit: number): Promise<Page | undefined> {
    if (position < this.#trimmed) return undefined;
    const start = position - this.#trimmed;
    const changes = this.#changes.slice(start, start + limit);
    const end = position + changes.length;
    return { ...this.#bookmark(end), after: position, changes, more: end < this.#position };
  }

  #bookmark(position: number): Bookmark {
    return { position, eventId: formatEventId(this.#segment, position, 0) };
  }
}

/**
 * Makes a journal in memory.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function createMemoryJournal(options: MemoryJournalOptions = {}): MemoryJournal {
  return new InMemoryJournal(options);
}
