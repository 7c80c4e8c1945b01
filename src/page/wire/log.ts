import { Signal } from "../dom.ts";
import type { Entry, NewEntry } from "./entry.ts";

/** How many entries are kept. */
const maxKept = 1_000;
/** Over how long changes are counted, in milliseconds. */
const rateMs = 60_000;

/** Keeps what went over the wire last. */
export class WireLog {
  readonly changed: Signal = new Signal();
  readonly #entries: Entry[] = [];
  readonly #changes: number[] = [];
  #next = 1;
  #pausedAt: number | undefined;

  /** The entries, the latest last; none that came while it is paused. */
  get entries(): readonly Entry[] {
    const until = this.#pausedAt;
    return until === undefined ? this.#entries : this.#entries.filter(({ id }) => id < until);
  }

  /** How many came while it is paused. */
  get waiting(): number {
    return this.#pausedAt === undefined ? 0 : this.#next - this.#pausedAt;
  }

  /** Whether what comes is kept back. */
  get isPaused(): boolean {
    return this.#pausedAt !== undefined;
  }

  set isPaused(isPaused: boolean) {
    this.#pausedAt = isPaused ? this.#next : undefined;
    this.changed.tell();
  }

  /** How many changes came in the last minute. */
  get changesPerMinute(): number {
    const since = performance.now() - rateMs;
    while (this.#changes[0] !== undefined && this.#changes[0] < since) this.#changes.shift();
    return this.#changes.length;
  }

  /** Adds an entry, with a number and the time. */
  add(entry: NewEntry): Entry {
    const made: Entry = { ...entry, id: this.#next, time: Date.now(), moment: performance.now() };
    this.#next += 1;
    this.#entries.push(made);
    if (this.#entries.length > maxKept) this.#entries.shift();
    if (entry.isChange) this.#changes.push(made.moment);
    this.changed.tell();
    return made;
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.length = 0;
    this.changed.tell();
  }

  /** All of it as a text, as it came. */
  get text(): string {
    return this.#entries
      .map((entry) => `# ${new Date(entry.time).toISOString()} ${entry.kind}\n${entry.text}\n`)
      .join("\n");
  }
}
