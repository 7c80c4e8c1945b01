import type { Clock } from "../../../server/index.ts";

/** How long a schema is waited for at most that changes again and again. */
const longestWaitMs = 30_000;
/** How many times as long as a migration's steps are apart the next one is waited for. */
const gaps = 3;
/** And how long at most. */
const longestQuietMs = 3_000;
/** How long others are left alone where they have a lock, or may want one. */
const pauseMs = 50;

/**
 * Decides when triggers are mended after a change of the schema: a migration's next step may follow at once, and must
 * not find the database locked, or changed by somebody else. Its steps tell how far they are apart.
 */
export class QuietMoment {
  readonly #clock: Clock;
  readonly #quietMs: number;
  #version: number | undefined;
  #first = 0;
  #notBefore = 0;
  /** When the schema was changed last, and when anything was committed. Both outlast a wait. */
  #changedAt = Number.NEGATIVE_INFINITY;
  #since = 0;
  /** How far steps were apart that followed each other. */
  #gapMs = 0;

  /** @param quietMs - how long the database must have stood still at least */
  constructor(clock: Clock, quietMs: number) {
    this.#clock = clock;
    this.#quietMs = quietMs;
  }

  /** Whether something is waited for. */
  get isAwaited(): boolean {
    return this.#version !== undefined;
  }

  /** Notes that the schema is another one than the triggers are for. */
  note(version: number): void {
    if (version === this.#version) return;
    const now = this.#clock.now();
    if (this.#version === undefined) this.#first = now;
    this.#version = version;
    const gapMs = now - this.#changedAt;
    this.#gapMs = gapMs <= longestQuietMs ? Math.max(this.#gapMs, gapMs) : 0;
    this.#changedAt = now;
    this.#since = now;
  }

  /** Notes that something was committed: it may be a step of a migration, unless it comes long after the last one. */
  noteCommit(): void {
    const now = this.#clock.now();
    if (now - this.#changedAt < longestQuietMs) this.#since = now;
  }

  /** Notes that the triggers were mended, some of them by now: the schema is changed by that, too. */
  noteOwn(version: number): void {
    if (this.#version !== undefined) this.#version = version;
  }

  /** Whether the moment has come. */
  get hasCome(): boolean {
    const now = this.#clock.now();
    if (this.#version === undefined || now < this.#notBefore) return false;
    return now - this.#since >= this.#neededMs || now - this.#first >= longestWaitMs;
  }

  get #neededMs(): number {
    return Math.max(this.#quietMs, Math.min(gaps * this.#gapMs, longestQuietMs));
  }

  /** Lets others go first. */
  putOff(): void {
    this.#notBefore = this.#clock.now() + pauseMs;
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#version = undefined;
    this.#notBefore = 0;
  }
}
