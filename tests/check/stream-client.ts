import { setTimeout as after } from "node:timers/promises";
import { fieldOf } from "../../src/check/wire/messages.ts";
import type { HttpResponse } from "../../src/protocol/index.ts";
import { type Following, type Place, speed } from "./harness.ts";
import { Holding, type MarkMistake, messageFrom } from "./holding.ts";
import { type Reader, type ReadingMistake, readerOf } from "./stream-readers.ts";

/** What a client of streams may get wrong. */
export type StreamMistake =
  | ReadingMistake
  | MarkMistake
  | "never comes back"
  | "forgets its position"
  | "comes back after everything"
  | "comes back at once"
  | "comes back after 10 ms"
  | "gives up when it is refused"
  | "waits for ever"
  | "takes no comment for life"
  | "takes any answer for a stream"
  | "goes on though a record has no name"
  | "does not look at Retry-After";

function isOfMarks(mistake: StreamMistake | undefined): mistake is MarkMistake {
  return (
    mistake === "keeps what no mark followed over a 200" || mistake === "moves its position by a 304 within a batch"
  );
}

const accepts = { events: "text/event-stream", parts: "application/http" };
const lasting = new Set([408, 413, 425, 429]);

/** A small client of streams by the book, but for one mistake. */
export class StreamClient implements Following {
  readonly #url: string;
  readonly #way: "events" | "parts";
  readonly #mistake: StreamMistake | undefined;
  readonly #holding: Holding;
  readonly #stopped: AbortController = new AbortController();
  #tries = 0;
  #hasMisfit = false;

  constructor({ url }: Place, way: "events" | "parts", mistake?: StreamMistake) {
    this.#url = url;
    this.#way = way;
    this.#mistake = mistake;
    this.#holding = new Holding(new URL(url).pathname, isOfMarks(mistake) ? mistake : undefined);
    void this.#run().catch((error) => this.#stopped.signal.aborted || console.error(error));
  }

  rows(): readonly unknown[] {
    return this.#holding.rows;
  }

  stop(): void {
    this.#stopped.abort();
  }

  #does(mistake: StreamMistake): boolean {
    return this.#mistake === mistake;
  }

  /** One stream after another, each behind a wait. */
  async #run(): Promise<void> {
    for (;;) {
      const waitMs = await this.#follow();
      if (waitMs === undefined || this.#does("never comes back")) return;
      const ownMs = this.#ownWaitMs();
      this.#tries += 1;
      await after(Math.max(ownMs, waitMs) / speed, undefined, { signal: this.#stopped.signal });
    }
  }

  #ownWaitMs(): number {
    if (this.#does("comes back at once")) return 0;
    return this.#does("comes back after 10 ms") ? 10 : Math.random() * 500 * 2 ** this.#tries;
  }

  /** Follows by one stream; gives the wait that was asked for, `undefined` where it is over for good. */
  async #follow(): Promise<number | undefined> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stopped.signal]);
    const deltas = this.#hasMisfit ? "" : ", application/merge-patch+json;q=0.5";
    const headers: Record<string, string> = { Accept: accepts[this.#way] + deltas };
    const { position } = this.#holding;
    if (position !== undefined && !this.#does("forgets its position")) headers["Last-Event-ID"] = position;
    this.#holding.break();
    const answer = await fetch(this.#url, { headers, signal }).catch(() => undefined);
    if (!answer) return 0;
    const type = answer.headers.get("content-type") ?? "";
    const isStream = type.startsWith(accepts[this.#way]) || this.#does("takes any answer for a stream");
    if (!answer.ok) return this.#refused(answer.status, answer.headers.get("retry-after") ?? undefined);
    if (!isStream || !answer.body) return undefined;
    const reader = readerOf(this.#way, this.#mistake);
    try {
      return await this.#listen(answer.body.getReader(), reader);
    } finally {
      over.abort();
    }
  }

  #refused(status: number, retryAfter: string | undefined): number | undefined {
    const isLasting = status >= 500 || lasting.has(status) || this.#does("comes back after everything");
    if (!isLasting || this.#does("gives up when it is refused")) return undefined;
    return this.#does("does not look at Retry-After") ? 0 : Number(retryAfter ?? 0) * 1_000;
  }

  async #listen(body: ReadableStreamDefaultReader<Uint8Array>, reader: Reader): Promise<number | undefined> {
    let last: HttpResponse | undefined;
    const silenceMs = (this.#does("waits for ever") ? 2 ** 30 : 27_000) / speed;
    let diesAt = performance.now() + silenceMs;
    for (;;) {
      const silent = after(Math.max(0, diesAt - performance.now()), undefined, { ref: false });
      const piece = await Promise.race([body.read().catch(() => undefined), silent]);
      if (this.#stopped.signal.aborted) return undefined;
      const bytes = piece?.value;
      try {
        const messages = bytes ? reader.read(bytes) : reader.end();
        last = messages.at(-1) ?? last;
        if (messages.length > 0 || !this.#does("takes no comment for life")) diesAt = performance.now() + silenceMs;
        if (!messages.every((message) => this.#take(message))) return 0;
      } catch {
        return undefined;
      }
      if (last && last.status >= 300 && last.status !== 304) {
        const retryAfter = fieldOf(messageFrom(last), "retry-after");
        return this.#refused(last.status, retryAfter);
      }
      if (!bytes) return reader.retryMs ?? 0;
    }
  }

  /** False where it asks anew. */
  #take(response: HttpResponse): boolean {
    const message = messageFrom(response);
    if (!this.#holding.isNamed(message) && !this.#does("goes on though a record has no name")) {
      throw new Error("A record without a name.");
    }
    const fits = this.#holding.take(message);
    this.#hasMisfit ||= !fits;
    return fits;
  }
}
