import { fieldValue, type HttpResponse, type Problem } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import type { FallbackOptions } from "./fallback.ts";
import { guessOf, withGuess } from "./guess-items.ts";
import { isTransient, problemOf, retryAfterMs } from "./problem.ts";
import type { Sink } from "./transport.ts";

/** Milliseconds between two looks; each a fifth more or less. */
const lookMs = 5_000;
/** How often the socket must fail, though the server is there, until it counts as blocked. One that hangs does at once. */
const blockedAfter = 2;
const caughtUp: HttpResponse = { status: 304, reason: "", fields: [], body: "" };

type LookingOptions = Pick<FallbackOptions, "clock" | "http" | "onServer" | "onUnreachable">;

/** Follows one URL by GETs at intervals. */
class Look {
  readonly #options: LookingOptions;
  readonly #sink: Sink;
  readonly #backoff: Backoff;
  #etag: string | undefined;
  /** The latest one counts: what was asked for before may be older. */
  #latest: object | undefined;

  constructor(options: LookingOptions, sink: Sink) {
    this.#options = options;
    this.#sink = sink;
    this.#backoff = new Backoff(options.clock);
    void this.look();
  }

  /** Looks now. @param isAnew - the whole is asked for */
  async look(isAnew = false): Promise<void> {
    const { http, clock, onUnreachable } = this.#options;
    const sink = this.#sink;
    const look = {};
    this.#latest = look;
    this.#backoff.cancel();
    const askedAt = clock.now();
    const isKnown = this.#etag !== undefined && sink.isCaughtUp && !isAnew;
    const headers = { Accept: "application/json, */*;q=0.5", ...(isKnown && { "If-None-Match": this.#etag }) };
    const answer = await http
      .ask(sink.target, { headers: headers as Record<string, string>, cache: "no-store" })
      .catch(() => undefined);
    if (this.#latest !== look) return;
    if (answer) this.#take(answer, askedAt);
    else {
      onUnreachable();
      if (this.#latest === look) this.#backoff.wait(() => void this.look());
    }
  }

  /** Ends it. Twice is fine. */
  stop(): void {
    this.#latest = undefined;
    this.#backoff.cancel();
  }

  #take(answer: HttpResponse, askedAt: number): void {
    const { http, clock } = this.#options;
    const sink = this.#sink;
    const { status, fields, body } = answer;
    if (status === 304 || (status >= 200 && status < 300)) {
      this.#backoff.reset();
      this.#backoff.set(() => void this.look(), lookMs * (0.8 + 0.4 * clock.random()));
      sink.lookEvery(lookMs);
      if (status !== 304) {
        this.#etag = fieldValue(fields, "etag");
        const message = { status: 200, reason: "OK", fields, body };
        const rule = guessOf(message, sink.target, http.base.origin);
        sink.take(withGuess(message, rule, sink.target), false, askedAt);
      }
      sink.take(caughtUp, false, askedAt);
    } else if (isTransient(status)) {
      this.#backoff.wait(() => void this.look(), retryAfterMs(answer));
      sink.lost(false, problemOf(answer));
    } else {
      this.stop();
      sink.fail(problemOf(answer));
    }
  }
}

/**
 * Stands in for the whole fallback where each byte counts, as in the page: where sockets are blocked, it looks at each URL at
 * intervals, and knows no other way.
 */
export class Fallback {
  readonly #options: LookingOptions;
  readonly #looks: Map<Sink, Look> = new Map();
  #failures = 0;

  constructor(options: LookingOptions) {
    this.#options = options;
  }

  get isUsed(): boolean {
    return this.#failures >= blockedAfter;
  }

  takeOver(answer: HttpResponse, wasSilent: boolean): Problem | undefined {
    if (answer.status === 401 || answer.status === 403) return problemOf(answer);
    this.#options.onServer(answer);
    this.#failures += wasSilent ? blockedAfter : 1;
    return undefined;
  }

  add(sink: Sink): () => void {
    const look = new Look(this.#options, sink);
    this.#looks.set(sink, look);
    return () => {
      look.stop();
      this.#looks.delete(sink);
    };
  }

  askAnew(sink: Sink): void {
    void this.#looks.get(sink)?.look(true);
  }

  wake(): void {
    for (const look of this.#looks.values()) void look.look();
  }

  renew(): void {}

  stop(): void {
    for (const look of this.#looks.values()) look.stop();
    this.#looks.clear();
    this.#failures = 0;
  }
}

/** Nothing: who shows the status, says it better. */
export function hintAtSocket(): string {
  return "";
}
