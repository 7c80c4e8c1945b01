import { EventSource, type FetchLike } from "eventsource";
import { decodeEvent } from "../../src/protocol/index.ts";
import type { Following, Place } from "./harness.ts";
import { Holding, messageFrom } from "./holding.ts";

const names = Array.from({ length: 400 }, (_, at) => String(at + 200));
const silenceMs = 27_000;

function isLasting(status: number): boolean {
  return status >= 500 || [408, 413, 425, 429].includes(status);
}

/** The package `eventsource`, with what PROTOCOL.md asks beyond it: silence, and what an `EventSource` gives up at. */
export class EventSourceClient implements Following {
  readonly #url: string;
  readonly #speed: number;
  readonly #holding: Holding;
  #source: EventSource | undefined;
  #silence: NodeJS.Timeout | undefined;
  #again: NodeJS.Timeout | undefined;
  #retryAfterMs = 0;
  #tries = 0;

  constructor({ url }: Place, speed: number) {
    this.#url = url;
    this.#speed = speed;
    this.#holding = new Holding(new URL(url).pathname);
    this.#open();
  }

  rows(): readonly unknown[] {
    return this.#holding.rows;
  }

  stop(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#source?.close();
  }

  #open(): void {
    const source = new EventSource(this.#url, { fetch: this.#fetch });
    this.#source = source;
    for (const name of names) source.addEventListener(name, (event) => this.#take(event.type, event.data));
    source.addEventListener("error", ({ code }) => {
      this.#holding.break();
      // It comes again by itself, unless it was refused.
      if (source.readyState === source.CLOSED && code !== undefined && isLasting(code)) this.#later();
    });
  }

  /** Sees what an `EventSource` does not tell: comments, Retry-After, and where another one went on. */
  readonly #fetch: FetchLike = async (url, init) => {
    const { position } = this.#holding;
    const headers = { ...init.headers, ...(position === undefined ? {} : { "Last-Event-ID": position }) };
    const answer = await fetch(url, { ...init, headers } as RequestInit);
    this.#retryAfterMs = Number(answer.headers.get("retry-after") ?? 0) * 1_000;
    if (!answer.ok || !answer.body) return answer;
    this.#hear();
    const heard = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        this.#hear();
        controller.enqueue(piece);
      },
    });
    const { status, headers: fields } = answer;
    return new Response(answer.body.pipeThrough(heard), { status, headers: fields });
  };

  #hear(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#source?.close();
      this.#open();
    }, silenceMs / this.#speed);
  }

  #later(): void {
    const ownMs = Math.random() * 500 * 2 ** this.#tries;
    this.#tries += 1;
    this.#again = setTimeout(() => this.#open(), Math.max(ownMs, this.#retryAfterMs) / this.#speed);
  }

  #take(type: string, data: string): void {
    try {
      const response = decodeEvent({ type, data, id: "" });
      if (!response) return;
      const message = messageFrom(response);
      if (!this.#holding.isNamed(message)) throw new Error("A record without a name.");
      // After a problem that does not last, the source comes again when its `retry` says.
      if (response.status >= 300 && response.status !== 304 && !isLasting(response.status)) this.stop();
      this.#holding.take(message);
    } catch {
      this.stop();
    }
  }
}
