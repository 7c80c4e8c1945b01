import type { Clock } from "../ports/clock.ts";

/** After so long a change that may be there and was not looked for is told, in milliseconds. */
const toleratedMs = 2_000;

/**
 * Knows since when there may be something new that no look has shown: after a write, where a look failed, and where a
 * journal can't be read. Followers are told once that takes longer than usual, and when it is over [R-DER-10, R-HB-5].
 */
export class Unseen {
  readonly #clock: Clock;
  readonly #tell: (isUnseen: boolean) => void;
  /** Since when, of what the look under way will show, and of what it may not. */
  #covered: number | undefined;
  #waiting: number | undefined;
  #isTold = false;
  #cancel: (() => void) | undefined;

  /** @param tell - told twice of the same now and then: who came meanwhile does not know it */
  constructor(clock: Clock, tell: (isUnseen: boolean) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** Something may have changed. */
  changed(): void {
    this.#waiting ??= this.#clock.now();
    this.#plan();
  }

  /** A look begins. */
  begin(): void {
    this.#covered ??= this.#waiting;
    this.#waiting = undefined;
  }

  /** It is over. @param isSeen - whether it showed what there was when it began */
  end(isSeen: boolean): void {
    if (!isSeen) this.#waiting = this.#covered ?? this.#waiting;
    this.#covered = undefined;
    this.#plan();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  get #since(): number | undefined {
    return this.#covered ?? this.#waiting;
  }

  #plan(): void {
    const since = this.#since;
    this.stop();
    if (since === undefined) {
      if (this.#isTold) this.#tell(false);
      this.#isTold = false;
      return;
    }
    const leftMs = since + toleratedMs - this.#clock.now();
    if (leftMs > 0) this.#cancel = this.#clock.setTimer(() => this.#plan(), leftMs);
    if (leftMs > 0 && !this.#isTold) return;
    this.#isTold = true;
    this.#tell(true);
  }
}
