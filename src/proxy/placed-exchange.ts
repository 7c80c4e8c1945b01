import type { Readable } from "node:stream";
import { hasOtherCoding } from "../node/index.ts";
import { fieldValue } from "../protocol/index.ts";
import type { ExchangeControl, ExchangeHandler } from "./exchange.ts";
import { UnreadableError } from "./failure.ts";
import { pairs, rawText } from "./fields.ts";
import type { FreePlace } from "./places.ts";

const endless =
  /^[ \t]*(?:text\/event-stream|multipart\/x-mixed-replace|application\/(?:x-ndjson|jsonl|json-seq))[ \t]*(?:;|$)/i;

/** True for an answer that is a stream by its type: it may have nothing to say for any time. */
export function isEndless(fields: readonly string[]): boolean {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at]?.toLowerCase() === "content-type") return endless.test(fields[at + 1] ?? "");
  }
  return false;
}

/** Passes on what is told of an exchange, and gives its place back: at its end, or once it may last for any time. */
export class PlacedExchange implements ExchangeHandler {
  readonly #handler: ExchangeHandler;
  readonly #free: FreePlace;

  constructor(handler: ExchangeHandler, free: FreePlace) {
    this.#handler = handler;
    this.#free = free;
  }

  onRequestStart(control: ExchangeControl): void {
    this.#handler.onRequestStart(control);
  }

  onRequestUpgrade(control: ExchangeControl, status: number, fields: unknown, socket: Readable): void {
    this.#free();
    this.#handler.onRequestUpgrade?.(control, status, fields, socket);
  }

  onResponseStart(control: ExchangeControl, status: number, fields: unknown, reason?: string): void {
    const raw = rawText(control.rawHeaders);
    if (hasOtherCoding(fieldValue(pairs(raw), "transfer-encoding"))) {
      control.abort(new UnreadableError());
      return;
    }
    if (status >= 200 && isEndless(raw)) this.#free();
    this.#handler.onResponseStart(control, status, fields, reason);
  }

  onResponseData(control: ExchangeControl, chunk: Buffer): void {
    this.#handler.onResponseData(control, chunk);
  }

  onResponseEnd(control: ExchangeControl, trailers: unknown): void {
    // undici takes a connection again in the next turn but one; before that, another would be opened.
    setImmediate(() => setImmediate(this.#free));
    this.#handler.onResponseEnd(control, trailers);
  }

  onResponseError(control: ExchangeControl, error: Error): void {
    this.#free();
    this.#handler.onResponseError(control, error);
  }
}
