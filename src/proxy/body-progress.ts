import type { IncomingMessage } from "node:http";

/** Who does not go on. */
export type Stalled = "client" | "upstream";

/** Bytes that a request's body has to bring in each second, so that nobody holds a place by a drop now and then. */
const bytesPerSecond = 500;

/**
 * Sees that the bodies of one exchange go on. In each window a request's body brings so much or ends, and an answer's
 * brings something; an answer that the client does not take is none of its business.
 */
export class BodyProgress {
  readonly #request: IncomingMessage;
  readonly #leastBytes: number;
  readonly #onStall: (who: Stalled) => void;
  readonly #timer: NodeJS.Timeout;
  #received: number;
  /** `waits` where the answer has begun and nothing of it came in this window. */
  #answer: "none" | "waits" | "moves" | "endless" = "none";

  constructor(request: IncomingMessage, windowMs: number, onStall: (who: Stalled) => void) {
    this.#request = request;
    this.#leastBytes = (windowMs / 1_000) * bytesPerSecond;
    this.#onStall = onStall;
    this.#received = request.socket.bytesRead;
    this.#timer = setInterval(() => this.#look(), windowMs);
    this.#timer.unref();
  }

  /** The answer's head came. @param isEndless - it may be silent for any time */
  answered(isEndless: boolean): void {
    this.#answer = isEndless ? "endless" : "moves";
  }

  /** Something of the answer's body came, or could be given to the client. */
  moved(): void {
    if (this.#answer === "waits") this.#answer = "moves";
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const request = this.#request;
    const { bytesRead } = request.socket;
    const isSlow = !request.complete && bytesRead - this.#received < this.#leastBytes;
    this.#received = bytesRead;
    if (isSlow) this.#onStall(request.isPaused() ? "upstream" : "client");
    else if (this.#answer === "waits") this.#onStall("upstream");
    else if (this.#answer === "moves") this.#answer = "waits";
  }
}
