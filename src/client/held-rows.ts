import { type ClientClock, Timer } from "./clock.ts";
import type { Write } from "./write.ts";

/** How long the rows that come beside a create are held back. */
const holdMs = 2_000;

/**
 * Rows that came into a list while a create of this client was on its way. One of them may be what it makes, changed by
 * the server, and nobody can tell until the answer does: so they are shown with the answer, so that no record stands twice.
 */
export class HeldRows {
  readonly #timer: Timer;
  readonly #onOver: () => void;
  /** The create on whose answer they wait: one is sent at a time. */
  #write: Write | undefined;
  readonly #urls: Set<string> = new Set();
  #isOver = false;

  /** @param onOver - told when they are to be shown without an answer */
  constructor(clock: ClientClock, onOver: () => void) {
    this.#timer = new Timer(clock);
    this.#onOver = onOver;
  }

  /** Holds a row until a create that is on its way is answered: for 2 s at most, from the first row on. */
  hold(write: Write, url: string): void {
    if (write !== this.#write) {
      this.#write = write;
      this.#urls.clear();
      this.#isOver = false;
      this.#timer.set(() => {
        this.#isOver = true;
        this.#onOver();
      }, holdMs);
    }
    this.#urls.add(url);
  }

  /** True for a row that is not to be shown yet. */
  has(url: string): boolean {
    return this.#write?.state === "sent" && !this.#isOver && this.#urls.has(url);
  }

  /** Holds nothing more. */
  close(): void {
    this.#isOver = true;
    this.#timer.cancel();
  }
}
