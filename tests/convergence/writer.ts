import type { MemoryStore, Random, StoredRow } from "../../src/testing/index.ts";
import type { CommittedChange, Row, Transaction } from "./history.ts";
import type { JournalPast } from "./unruly-journal.ts";

/** The collections that the runs write to. */
export const collections = ["a", "b"] as const;

/** Values that filters must tell apart. */
const kinds = [1, "1", 2, "x", null] as const;

/** Ids are few, so that records are written again and again. */
const maxId = 6;

/** What stays the same in every second record: deltas leave it out. */
const unchanged = "c".repeat(100);

type Place = `/${string}/${number}`;
type VersionedRow = StoredRow & Row;

/** One step of a transaction: what becomes of a record. */
interface Write {
  readonly collection: string;
  readonly id: number;
  readonly row: VersionedRow | undefined;
}

/** Writes at random to a store, and keeps its own account of what that has to mean. */
export class Writer {
  readonly transactions: Transaction[] = [];
  readonly aborted: Set<number> = new Set();
  readonly #store: MemoryStore;
  readonly #past: JournalPast;
  readonly #random: Random;
  readonly #paddingBytes: number;
  readonly #rows: Map<Place, VersionedRow> = new Map();
  #head = 0;
  #version = 0;

  constructor(store: MemoryStore, past: JournalPast, random: Random, paddingBytes: number) {
    this.#store = store;
    this.#past = past;
    this.#random = random;
    this.#paddingBytes = paddingBytes;
  }

  /** The last position that was committed. */
  get head(): number {
    return this.#head;
  }

  /** Runs one transaction. @param at - when, for the history */
  write(at: number, { isAborted = false, isReset = false }: { isAborted?: boolean; isReset?: boolean } = {}): void {
    const count = this.#random.chance(0.5) ? 1 : 1 + this.#random.below(6);
    const writes = Array.from({ length: count }, () => this.#write());
    if (isAborted) {
      this.#abort(writes);
      return;
    }
    const reset = isReset ? `/${writes[0]?.collection}` : undefined;
    const changes = this.#account(writes, reset);
    if (changes.length === 0) return;
    const first = this.#head + 1;
    this.#head += changes.length;
    const resets = reset !== undefined && changes.some(({ isHidden }) => isHidden) ? [reset] : [];
    this.transactions.push({ at, first, last: this.#head, changes, resets });
    this.#run(writes);
  }

  #write(): Write {
    const random = this.#random;
    const collection = random.pick(collections);
    const id = 1 + random.below(maxId);
    if (random.chance(0.3)) return { collection, id, row: undefined };
    this.#version += 1;
    const row: VersionedRow = {
      id,
      kind: random.pick(kinds),
      place: random.pick(["x", "y"]),
      version: this.#version,
      text: "ü".repeat(random.below(this.#paddingBytes)),
      ...(id % 2 === 0 ? { unchanged } : {}),
    };
    return { collection, id, row };
  }

  #run(writes: readonly Write[]): void {
    this.#store.transaction((writer) => {
      for (const { collection, id, row } of writes) {
        if (row) writer.put(collection, row);
        else writer.remove(collection, id);
      }
    });
  }

  #abort(writes: readonly Write[]): void {
    for (const { row } of writes) if (row) this.aborted.add(row.version);
    const reason = new Error("rolled back");
    try {
      this.#store.transaction((writer) => {
        for (const { collection, id, row } of writes) {
          if (row) writer.put(collection, row);
          else writer.remove(collection, id);
        }
        throw reason;
      });
    } catch (error) {
      if (error !== reason) throw error;
    }
  }

  #account(writes: readonly Write[], reset: string | undefined): CommittedChange[] {
    const changes: CommittedChange[] = [];
    for (const { collection, id, row } of writes) {
      const url: Place = `/${collection}/${id}`;
      const before = this.#rows.get(url);
      if (!before && !row) continue;
      if (row) this.#rows.set(url, row);
      else this.#rows.delete(url);
      const position = this.#head + changes.length + 1;
      const isHidden = reset === `/${collection}`;
      if (isHidden) this.#past.resets.add(position);
      changes.push({
        position,
        collection: `/${collection}`,
        url,
        ...(before ? { before } : {}),
        ...(row ? { after: row } : {}),
        ...(isHidden ? { isHidden } : {}),
      });
    }
    return changes;
  }
}
