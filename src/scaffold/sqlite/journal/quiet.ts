import type { Clock } from "../../../server/index.ts";

/** How long a schema is waited for at most that changes again and again. */
const longestWaitMs = 5_000;
/** How long others are left alone where they have a lock, or may want one. */
const pauseMs = 50;

/**
 * Decides when triggers are mended after a change of the schema: a migration's next step may follow at once, and must
 * not find the database locked, or changed by somebody else.
 */
export class QuietMoment {
  readonly #clock: Clock;
  readonly #quietMs: number;
  #version: number | undefined;
  #since = 0;
  #first = 0;
  #notBefore = 0;

  /** @param quietMs - how long the schema must have stood still */
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
    this.#since = now;
  }

  /** Notes that the triggers were mended, some of them by now: the schema is changed by that, too. */
  noteOwn(version: number): void {
    if (this.#version !== undefined) this.#version = version;
  }

  /** Whether the moment has come. */
  get hasCome(): boolean {
    const now = this.#clock.now();
    if (this.#version === undefined || now < this.#notBefore) return false;
    return now - this.#since >= this.#quietMs || now - this.#first >= longestWaitMs;
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
