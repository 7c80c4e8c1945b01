import type { Clock } from "../../../server/index.ts";
import type { Connection } from "../connection.ts";
import { isBusy } from "../sqlite-error.ts";
import { JournalSizes, markBytes } from "./journal-sizes.ts";
import { journalTable } from "./names.ts";
import type { RowReader } from "./rows.ts";

/** How much one step removes, in rows and in bytes of records: little enough not to be noticed by writers. */
const stepRows = 250;
const stepBytes = 256 * 1024;
const pauseMs = 5;
/** How long new rows wait until they are measured, where they are fewer than one step removes. */
const gatherMs = 100;
/** How many rows are measured at once, which takes no lock. */
const measuredRows = 1_000;
const busyPauseMs = 200;
/** The journal's first and last position. Of both in one query, SQLite would read all rows. */
export const rangeSql: string = `SELECT (SELECT min(position) FROM ${journalTable}), (SELECT max(position) FROM ${journalTable})`;
/** How many times within the retention age the journal's head is noted. */
const ageMarks = 16;

/** What {@link Trimmer} needs. */
export interface TrimOptions {
  readonly clock: Clock;
  readonly maxChanges: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number | undefined;
  /** The file to trim: how it is read, and the connection to write by. */
  readonly file: () => { readonly rows: RowReader; readonly writer: Connection };
  readonly onError: (error: unknown) => void;
}

/** Removes the journal's oldest rows, in small steps on a timer; never the last one. */
export class Trimmer {
  readonly #options: TrimOptions;
  readonly #sizes: JournalSizes;
  /** Heads and when they were seen, oldest first; each stands for those seen since a moment. */
  #seen: { readonly since: number; readonly at: number; readonly position: number }[] = [];
  #head = 0;
  #first = 0;
  #aged = 0;
  #cancel: (() => void) | undefined;
  #isClosed = false;

  constructor(options: TrimOptions) {
    this.#options = options;
    this.#sizes = new JournalSizes(options.maxBytes);
  }

  /** The journal has grown to `head`. */
  note(head: number): void {
    const { clock, maxAgeMs } = this.#options;
    this.#head = head;
    if (maxAgeMs !== undefined) {
      const now = clock.now();
      const last = this.#seen.at(-1);
      const isNear = last !== undefined && now - last.since < maxAgeMs / ageMarks;
      if (isNear) this.#seen.pop();
      this.#seen.push({ since: isNear ? last.since : now, at: now, position: head });
    }
    this.#schedule();
  }

  /** The journal lost its thread: positions start anew. */
  restart(): void {
    this.#seen = [];
    this.#sizes.clear();
    this.#first = 0;
    this.#aged = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  #schedule(): void {
    if (this.#cancel || this.#isClosed) return;
    const waitMs = this.#waitMs();
    if (waitMs !== undefined) this.#wake(waitMs);
  }

  /** How long until there is something to do; `undefined` while there is nothing to wait for. */
  #waitMs(): number | undefined {
    const { clock, maxChanges, maxAgeMs } = this.#options;
    const unmeasured = this.#head - this.#sizes.measured;
    if (unmeasured >= stepRows || this.#sizes.excess > this.#first) return pauseMs;
    if (this.#head - this.#first >= maxChanges + stepRows || this.#aged >= this.#first + 1) return pauseMs;
    if (unmeasured > 0) return gatherMs;
    const [oldest] = this.#seen;
    if (maxAgeMs === undefined || !oldest) return undefined;
    return Math.max(pauseMs, oldest.at + maxAgeMs - clock.now());
  }

  #wake(ms: number): void {
    this.#cancel = this.#options.clock.setTimer(() => {
      this.#cancel = undefined;
      try {
        this.#step();
      } catch (error) {
        if (!isBusy(error)) this.#options.onError(error);
        this.#wake(busyPauseMs);
        return;
      }
      this.#schedule();
    }, ms);
  }

  #step(): void {
    const { clock, maxChanges, maxAgeMs, file } = this.#options;
    if (maxAgeMs !== undefined) {
      const now = clock.now();
      while (this.#seen[0] && this.#seen[0].at + maxAgeMs <= now) this.#aged = this.#seen.shift()?.position ?? 0;
    }
    const { rows, writer } = file();
    this.#sizes.measure((position) => rows.measure(position, measuredRows, markBytes), this.#head);
    const [range] = writer.prepare(rangeSql).all();
    const first = Number(range?.[0] ?? 1);
    const last = Number(range?.[1] ?? 0);
    const excess = last - maxChanges;
    const isFull = excess - first + 1 >= stepRows;
    const wanted = Math.max(this.#aged, isFull ? excess : 0, this.#sizes.excess);
    const most = Math.min(first + stepRows - 1, wanted, last - 1);
    // A row that is larger goes alone.
    const upTo = most < first ? most : Math.min(most, rows.measure(first - 1, stepRows, stepBytes).position);
    if (upTo >= first) writer.prepare(`DELETE FROM ${journalTable} WHERE position <= ?`).run(upTo);
    this.#first = Math.max(first - 1, upTo);
    this.#sizes.trimmed(this.#first);
    // Nothing more of that age is left but the last row.
    if (this.#aged <= this.#first || this.#first >= last - 1) this.#aged = 0;
  }
}
