import { type ClientClock, Timer } from "./clock.ts";
import type { RefusedWrite } from "./write.ts";

/**
 * Where an error comes from: an application's callback that threw, a write that nobody awaits, a socket that does not
 * come about, or a collection whose URL answers no list.
 */
export type ErrorStage = "callback" | "write" | "connection" | "view";

/** What is known of an error beside itself. */
export interface ErrorContext {
  readonly stage: ErrorStage;
  /** What was refused, where `stage` is `write`: what somebody typed can be given back. */
  readonly write?: RefusedWrite;
}

/** Told of errors that nobody else is told of. */
export type OnError = (error: unknown, context: ErrorContext) => unknown;

/** A page that is busy for so long with what it was told is told less often. */
const busyMs = 20;
/** However long it is busy, it is told again after so long. */
const maxRestMs = 400;

/** What calling back needs. */
export interface CallbacksOptions {
  readonly clock: ClientClock;
  readonly onError: OnError;
  /** Called where `isBehind` is another. */
  readonly onBehind: () => void;
}

/**
 * The one place that calls an application's callbacks: one after another, outside of all that goes on here. What they
 * throw, or the promise that they return, ends nothing, and is told to `onError`.
 */
export class Callbacks {
  readonly #options: CallbacksOptions;
  readonly #timer: Timer;
  #queue: (() => unknown)[] = [];
  #isAwaited = false;
  #isRunning = false;
  #pace: "free" | "measured" | "resting" | "closed" = "free";
  /** Since when it is measured. */
  #from = 0;
  #isBehind = false;

  constructor(options: CallbacksOptions) {
    this.#options = options;
    this.#timer = new Timer(options.clock);
  }

  /** True while callbacks take so long that they are called less often than there is something to tell. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Calls back soon: before anything else can happen, and after all that was to be called before. */
  call(callback: () => unknown): void {
    this.#queue.push(callback);
    if (this.#isAwaited || this.#isToWait()) return;
    this.#isAwaited = true;
    queueMicrotask(() => this.flush());
  }

  /** Calls at once what is to be called. Does nothing within a callback: the rest comes after it. */
  flush(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    if (this.#queue.length > 0 && this.#pace === "free") this.#measure();
    for (let due = this.#queue; due.length > 0; due = this.#queue) {
      this.#queue = [];
      for (const callback of due) this.#run(callback);
    }
    this.#isRunning = this.#isAwaited = false;
  }

  /** Calls what is to be called, and paces nothing more. */
  close(): void {
    this.#pace = "closed";
    this.#timer.cancel();
    this.flush();
  }

  /** Measures how long the page is busy with what the callbacks cause, which mostly comes after them. */
  #measure(): void {
    this.#from = this.#options.clock.now();
    this.#pace = "measured";
    this.#timer.set(() => {
      const tookMs = this.#options.clock.now() - this.#from;
      if (tookMs >= busyMs) this.#rest(Math.min(tookMs, maxRestMs));
      else {
        this.#pace = "free";
        this.#setBehind(false);
      }
    }, 0);
  }

  /** What comes from now on waits: also before it is measured, where messages stand in a queue ahead of the timer. */
  #isToWait(): boolean {
    if (this.#pace !== "measured") return this.#pace === "resting";
    return this.#options.clock.now() - this.#from >= busyMs;
  }

  /** Leaves the page as much time for everything else: what comes meanwhile is told at once then. */
  #rest(ms: number): void {
    this.#pace = "resting";
    this.#timer.set(() => {
      this.#pace = "free";
      this.#setBehind(this.#queue.length > 0);
      this.flush();
    }, ms);
  }

  #setBehind(isBehind: boolean): void {
    if (isBehind === this.#isBehind) return;
    this.#isBehind = isBehind;
    this.#options.onBehind();
  }

  /** Tells an error to the application. */
  report(error: unknown, context: ErrorContext): void {
    this.call(() => this.#options.onError(error, context));
  }

  #run(callback: () => unknown): void {
    const failed = (error: unknown): void => {
      try {
        this.#options.onError(error, { stage: "callback" });
      } catch (second) {
        console.error(second);
      }
    };
    try {
      const result = callback();
      if (result instanceof Promise) result.catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

interface Listener {
  readonly listener: () => unknown;
  isDue: boolean;
}

/** Who wants to be told of changes. Each subscription is one of its own, also where the same function subscribes twice. */
export class Listeners {
  readonly #callbacks: Callbacks;
  readonly #all: Set<Listener> = new Set();

  constructor(callbacks: Callbacks) {
    this.#callbacks = callbacks;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Adds one. Returns a function that takes it away; twice is fine. */
  add(listener: () => unknown): () => void {
    const one = { listener, isDue: false };
    this.#all.add(one);
    return () => void this.#all.delete(one);
  }

  /** Tells those who are there now, each once for all changes until it is called. */
  tell(): void {
    for (const one of this.#all) {
      if (one.isDue) continue;
      one.isDue = true;
      this.#callbacks.call(() => {
        one.isDue = false;
        return this.#all.has(one) ? one.listener() : undefined;
      });
    }
  }
}

/** A promise that knows whether somebody waits for it. */
class WatchedPromise<Result> extends Promise<Result> {
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  isWatched = false;

  // biome-ignore lint/suspicious/noThenProperty: who calls it waits for the promise, and that is what has to be known
  override then<Done = Result, Failed = never>(
    done?: ((result: Result) => Done | PromiseLike<Done>) | null,
    failed?: ((reason: unknown) => Failed | PromiseLike<Failed>) | null,
  ): Promise<Done | Failed> {
    this.isWatched = true;
    return super.then(done, failed);
  }

  /** Nobody waits: that it is refused is told in another way. */
  settleQuietly(): void {
    super.then(undefined, () => {});
  }
}

/**
 * The same promise, but that a refusal which nobody waits for is told to `onRefused` and is no unhandled rejection.
 */
export function watched<Result>(promise: Promise<Result>, onRefused: (error: unknown) => void): Promise<Result> {
  const own: WatchedPromise<Result> = new WatchedPromise((resolve, reject) => {
    promise.then(resolve, async (error: unknown) => {
      // An `await` asks for `then` a moment after it is met: a mistake that was known at once would come before it.
      await undefined;
      if (!own.isWatched) {
        own.settleQuietly();
        onRefused(error);
      }
      reject(error);
    });
  });
  return own;
}
