import { type Field, fieldValue, type HttpResponse } from "../protocol/index.ts";
import type { Clock } from "../server/index.ts";
import { Backoff } from "./backoff.ts";
import type { Dial, Ending } from "./link.ts";
import { isLoopbackHost } from "./serve-options.ts";
import { Session } from "./session.ts";
import { judge } from "./verdict.ts";

/** What a follower tells. */
export interface FollowerListener {
  message(message: HttpResponse): void;
  /** A line about the connection. */
  note(line: string): void;
  /** It is over for good. `failure` says why, where that is not as it should be. */
  ended(failure?: string): void;
}

/** What a follower needs. */
export interface FollowerOptions {
  /** A `ws:` or `wss:` URL. */
  readonly url: string;
  /** The level to ask for. */
  readonly level: 0 | 1;
  /** Where to resume; `*` for no snapshot. */
  readonly lastEventId?: string;
  readonly headers: readonly Field[];
  readonly dial: Dial;
  readonly clock: Clock;
  readonly listener: FollowerListener;
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Follows one URL over as many connections as it takes, each resumed where the one before had got to. */
export class Follower {
  readonly #options: FollowerOptions;
  readonly #backoff: Backoff;
  #level: 0 | 1;
  #position: string | undefined;
  #session: Session | undefined;
  /** Since when it is connected; `undefined` where it is not. */
  #connectedAt: number | undefined;
  #wasConnected = false;
  #isStopped = false;
  #cancelTimer: () => void = () => {};

  constructor(options: FollowerOptions) {
    this.#options = options;
    const isNear = isLoopbackHost(new URL(options.url).hostname);
    this.#backoff = new Backoff(() => options.clock.random(), isNear);
    this.#level = options.level;
    this.#position = options.lastEventId;
  }

  /** Connects. */
  start(): void {
    const { url, headers, dial, clock } = this.#options;
    const position = this.#level === 1 ? this.#position : undefined;
    const resume = position === undefined ? {} : { lastEventId: position };
    this.#session = new Session({
      dialing: { url, headers, level: this.#level, ...resume },
      dial,
      clock,
      listener: {
        settled: (level, first) => this.#settled(level, first, position),
        message: (message) => this.#message(message),
        ended: (ending, problem) => this.#ended(ending, problem),
      },
    });
  }

  /** Says good-bye; the listener hears nothing more. Twice is fine. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelTimer();
    this.#session?.stop();
  }

  #settled(level: 0 | 1, first: HttpResponse | undefined, position: string | undefined): void {
    const { clock, listener, url, level: wanted } = this.#options;
    const isResumed = position !== undefined && position !== "*";
    if (level === 1 && isResumed && first?.status === 304) listener.note(`resumed after ${position}`);
    else if (level === 1 && isResumed && first?.status === 200) {
      listener.note(`connected; what came after ${position} is no longer known, so here is everything`);
    } else if (level === 0 && this.#wasConnected) {
      listener.note("connected again at Level 0; what happened meanwhile was not sent");
    } else {
      const why = level < wanted ? ", the server has no more" : "";
      listener.note(`connected to ${url} at Level ${level}${why}`);
    }
    this.#connectedAt = clock.now();
    this.#wasConnected = true;
  }

  #message(message: HttpResponse): void {
    this.#position = fieldValue(message.fields, "Event-ID") ?? this.#position;
    this.#options.listener.message(message);
  }

  #ended(ending: Ending, problem: HttpResponse | undefined): void {
    if (this.#isStopped) return;
    const { listener } = this.#options;
    const verdict = judge(ending, problem);
    switch (verdict.next) {
      case "stop":
        this.#isStopped = true;
        listener.note(
          verdict.why === "" ? "the server ended the stream" : `the server ended the stream: ${verdict.why}`,
        );
        listener.ended();
        return;
      case "fail":
        this.#isStopped = true;
        listener.ended(verdict.why);
        return;
      case "downgrade":
        this.#level = 0;
        this.start();
        return;
      case "retry":
        this.#retry(verdict.why, verdict.waitMs);
    }
  }

  #retry(why: string, atLeastMs: number): void {
    const { clock, listener } = this.#options;
    const state = this.#connectedAt === undefined ? "no connection" : "connection lost";
    if (this.#connectedAt !== undefined) this.#backoff.lasted(clock.now() - this.#connectedAt);
    this.#connectedAt = undefined;
    const waitMs = Math.max(this.#backoff.next(), atLeastMs);
    listener.note(`${state} (${why}); trying again in ${inSeconds(waitMs)}`);
    this.#cancelTimer = clock.setTimer(() => this.start(), waitMs);
  }
}
