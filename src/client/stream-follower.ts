import {
  decodeEvent,
  EventStreamDecoder,
  type HttpResponse,
  isProblem,
  mergePatchType,
  type Problem,
  ProtocolError,
  silenceMs,
} from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import { type ClientClock, Timer } from "./clock.ts";
import { type Http, messageOf } from "./http.ts";
import { next } from "./machine.ts";
import { isTransient, localProblem, problemOf, retryAfterMs } from "./problem.ts";
import { type StreamHappening, type StreamState, streamTransitions } from "./stream-state.ts";
import type { Sink } from "./transport.ts";

/** The head and the first message come within so long, or something holds them back. */
const firstMs = 5_000;
/** After a stream that lasted so long, refusals are counted anew. */
const stableMs = 10_000;
/** What is refused for a while so often in a row is followed in another way meanwhile. */
const mostRefusals = 2;
/** After so many streams in a row that ended without a message, something cuts them off. */
const mostEmpty = 2;

/** What following a stream needs. */
export interface StreamFollowerOptions {
  readonly sink: Sink;
  readonly clock: ClientClock;
  readonly http: Http;
  /** Whether the server knows who asks for deltas: others would hand the wish on to the application [R-DELTA-5]. */
  readonly takesDeltas: boolean;
  /** Whether it was refused for a while before. */
  readonly wasPutOff: boolean;
  /** Told, as the last thing, where it is refused for a while again; after `leastMs` it may be tried anew. */
  readonly onPutOff: (refusal: Problem, leastMs: number) => void;
  /** Told, as the last thing, where streams seem to be held back on the way. */
  readonly onBuffered: () => void;
  /** Told, as the last thing, where this URL has no stream. */
  readonly onNone: () => void;
  /** Called where the server can't be reached at all. */
  readonly onUnreachable: () => void;
}

/** Follows one URL by a stream of events, one after another, each resumed where the last one was [R-STR-14] [R-STR-17]. */
export class StreamFollower {
  readonly #options: StreamFollowerOptions;
  readonly #backoff: Backoff;
  readonly #silence: Timer;
  #state: StreamState = "waiting";
  /** Ends the request that is under way. */
  #abort: AbortController = new AbortController();
  #heardAt = 0;
  #openedAt = 0;
  #empty = 0;
  /** How often it was refused for a while in a row. */
  #refusals: number;
  /** When the stream that is there was asked for. */
  #askedAt = 0;
  /** True once a delta was not for what is known: it asks for none any more. */
  #isMisfit = false;

  constructor(options: StreamFollowerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
    this.#silence = new Timer(options.clock);
    this.#refusals = options.wasPutOff ? mostRefusals : 0;
    void this.#ask();
  }

  /** Tries at once what waits, and gives up a stream that died, as where the machine slept. */
  wake(): void {
    const { clock } = this.#options;
    if (this.#state === "waiting" || (this.#state === "open" && clock.now() - this.#heardAt >= silenceMs))
      this.#again();
  }

  /** Asks for the whole, by another stream: what is shown stays so until that begins. */
  askAnew(): void {
    if (this.#state !== "open") return;
    this.#end("end");
    void this.#ask(true);
  }

  /** Asks anew, with the credentials of now. */
  renew(): void {
    if (this.#state !== "over") this.#again();
  }

  /** Ends it. Twice is fine. */
  stop(): void {
    this.#end("stop");
  }

  #move(happening: StreamHappening): void {
    this.#state = next(streamTransitions, this.#state, happening);
  }

  #end(happening: "end" | "stop"): void {
    this.#move(happening);
    this.#backoff.cancel();
    this.#silence.cancel();
    this.#abort.abort();
  }

  #again(): void {
    this.#end("end");
    this.#options.sink.lost(false);
    // Unless whoever was told of that has ended it.
    if (this.#state === "waiting") void this.#ask();
  }

  /** Whatever it was, another way begins where this one ends. */
  #leave(then: () => void): void {
    this.stop();
    then();
  }

  #hear(ms: number): void {
    const { clock, onBuffered } = this.#options;
    this.#heardAt = clock.now();
    this.#silence.set(() => {
      // So much later only where the machine slept.
      if (clock.now() - this.#heardAt >= 2 * silenceMs) this.#again();
      else this.#leave(onBuffered);
    }, ms);
  }

  async #ask(isAnew = false): Promise<void> {
    const { http, sink, clock, onNone, onUnreachable } = this.#options;
    this.#move("due");
    this.#abort = new AbortController();
    const { signal } = this.#abort;
    this.#hear(firstMs);
    this.#askedAt = clock.now();
    const wanted = this.#options.takesDeltas && !this.#isMisfit ? `, ${mergePatchType};q=0.5` : "";
    const headers: Record<string, string> = { Accept: `text/event-stream${wanted}` };
    if (sink.position !== undefined && !isAnew) headers["Last-Event-ID"] = sink.position;
    const response = await http.fetch(sink.target, { headers, signal, cache: "no-store" }).catch(() => undefined);
    if (signal.aborted) return;
    const isStream = /^text\/event-stream\b/i.test(response?.headers.get("content-type") ?? "");
    if (!response) this.#leave(onUnreachable);
    else if (response.ok && isStream && response.body) {
      this.#move("head");
      await this.#read(response.body.getReader(), signal);
    } else if (response.ok || response.status === 406) this.#leave(onNone);
    else {
      const refusal = await messageOf(response).catch(() => undefined);
      if (!signal.aborted) this.#refused(refusal ?? { status: response.status, reason: "", fields: [], body: "" });
    }
  }

  async #read(reader: ReadableStreamDefaultReader<Uint8Array>, signal: AbortSignal): Promise<void> {
    const decoder = new EventStreamDecoder();
    for (;;) {
      const part = await reader.read().catch(() => undefined);
      if (signal.aborted) return;
      if (!part || part.done) break;
      this.#takeSafely(decoder, part.value, signal);
      if (signal.aborted) return;
      // A comment tells as well that nothing is held back, but only once there were messages.
      if (this.#state === "open") this.#hear(silenceMs);
    }
    this.#ended(decoder.retryMs);
  }

  #takeSafely(decoder: EventStreamDecoder, bytes: Uint8Array, signal: AbortSignal): void {
    try {
      for (const event of decoder.decode(bytes)) {
        const message = decodeEvent(event);
        if (message) this.#take(message);
        // Whoever was told may have ended it.
        if (signal.aborted) return;
      }
    } catch (error) {
      const trouble = error instanceof ProtocolError ? error.message : "it can't be taken in";
      const problem = localProblem(
        502,
        `The client ended the stream, since the server sent what is no message: ${trouble}.`,
      );
      this.#leave(() => this.#options.sink.fail(problem));
    }
  }

  #take(message: HttpResponse): void {
    const { sink, clock } = this.#options;
    if (isProblem(message)) {
      this.#refused(message);
      return;
    }
    const isFirst = this.#state === "opening";
    if (isFirst) {
      this.#move("message");
      this.#openedAt = clock.now();
      this.#empty = 0;
      // By GETs: what is told from here on is marked anew.
      if (message.status === 304 && sink.intervalMs !== undefined) sink.lost(false);
      sink.lookEvery(undefined);
    }
    if (sink.take(message, false, isFirst && message.status === 200 ? this.#askedAt : undefined)) return;
    // Resumed before that delta, what comes are whole records [R-DELTA-8].
    this.#isMisfit = true;
    this.#again();
  }

  #refused(message: HttpResponse): void {
    const { http, sink, onPutOff } = this.#options;
    const { status } = message;
    const wasOpen = this.#state === "open";
    if (isTransient(status)) {
      this.#refusals = wasOpen && this.#lastedMs >= stableMs ? 1 : this.#refusals + 1;
      const leastMs = retryAfterMs(message);
      const refusal = problemOf(message);
      if (this.#refusals >= mostRefusals) this.#leave(() => onPutOff(refusal, leastMs));
      else this.#wait(leastMs, refusal);
    } else if (status === 401 && wasOpen) {
      // Those of the request that follows are asked for once more there, and a refusal comes as its answer.
      void http.authorization(true).catch(() => {});
      this.#wait();
    } else this.#leave(() => sink.fail(problemOf(message)));
  }

  get #lastedMs(): number {
    return this.#options.clock.now() - this.#openedAt;
  }

  /** It ended without a word, as where the server restarts. */
  #ended(retryMs: number | undefined): void {
    if (this.#state === "opening") this.#empty += 1;
    if (this.#empty >= mostEmpty) this.#leave(this.#options.onBuffered);
    else this.#wait(retryMs);
  }

  #wait(leastMs?: number, refusal?: Problem): void {
    if (this.#state === "open") this.#backoff.lasted(this.#lastedMs);
    this.#end("end");
    this.#backoff.wait(() => void this.#ask(), leastMs);
    this.#options.sink.lost(false, refusal);
  }
}
