import type { StreamWriter } from "../http/stream-transport.ts";
import type { Clock } from "../ports/clock.ts";

/** What is told of a body, and how long it may take. */
export interface BodyParts {
  readonly clock: Clock;
  /** How long what is left at the end may stay untaken, in milliseconds. */
  readonly stallTimeoutMs: number;
  /** All that was written was taken. */
  readonly onDrained: () => void;
  /** Nothing is read any more. Called once, also behind the end. */
  readonly onGone: () => void;
}

/**
 * Writes the body of a `Response` that does not end. The platform takes a piece when it has sent the one before; what is not
 * taken waits here, so it can be counted.
 */
export class BodyWriter implements StreamWriter {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>;
  unsentBytes = 0;
  takenBytes = 0;
  readonly #parts: BodyParts;
  #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined;
  #waiting: Uint8Array[] = [];
  #isAsked = false;
  #hasEnded = false;
  #isGone = false;

  constructor(parts: BodyParts) {
    this.#parts = parts;
    this.body = new ReadableStream(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          this.#isAsked = true;
          this.#give();
        },
        cancel: () => this.#leave(),
      },
      { highWaterMark: 0 },
    );
  }

  write(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#isGone || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.unsentBytes += bytes.length;
    this.#give();
  }

  end(): void {
    if (this.#hasEnded || this.#isGone) return;
    this.#hasEnded = true;
    if (this.#waiting.length === 0) this.#close();
    else this.#watch();
  }

  destroy(): void {
    if (this.#isGone) return;
    this.#controller?.error(new DOMException("The stream was cut off.", "AbortError"));
    this.#leave();
  }

  /** Gives what waits to whoever asked for more, as one piece. */
  #give(): void {
    if (!this.#isAsked || this.#isGone) return;
    if (this.#waiting.length === 0) return;
    this.#isAsked = false;
    const piece = new Uint8Array(this.unsentBytes);
    let at = 0;
    for (const bytes of this.#waiting) {
      piece.set(bytes, at);
      at += bytes.length;
    }
    this.#waiting = [];
    this.unsentBytes = 0;
    this.takenBytes += piece.length;
    this.#controller?.enqueue(piece);
    if (this.#hasEnded) this.#close();
    else this.#parts.onDrained();
  }

  #close(): void {
    this.#controller?.close();
    this.#leave();
  }

  /** Behind its end, nobody else looks whether the rest is taken. */
  #watch(): void {
    const { clock, stallTimeoutMs } = this.#parts;
    clock.setTimer(() => this.destroy(), stallTimeoutMs);
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#waiting = [];
    this.unsentBytes = 0;
    this.#parts.onGone();
  }
}
