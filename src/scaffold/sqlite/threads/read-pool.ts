import type { Clock } from "../../../server/index.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { DatabaseState, ReadReply, ReadTask, ThreadSettings } from "./messages.ts";
import { NoThreads, ReaderThread } from "./reader-thread.ts";
import { type Waiter, WaitingLine } from "./waiting-line.ts";

/** How many reads may wait for a thread. */
const maxWaiting = 512;
/** How long a thread has to end a read before it is ended itself. */
const graceMs = 1_000;

/** No thread has started for a read in the time that it had for that: the machine is busy. */
export class NotStarted extends Error {}

/** A read that threads are asked for. */
export interface PooledRead extends Waiter {
  readonly request: ReadTask["request"];
  /** How long it may take, in milliseconds, waiting and the start of its thread included. */
  readonly waitMs: number;
  /** How long it waits for a thread to start where there is none, in milliseconds; any time where absent. */
  readonly startMs?: number | undefined;
  /** How long it may run in its thread, in milliseconds. */
  readonly limitMs: number;
  /** What is thrown where it runs for longer. */
  readonly onTooLong: () => unknown;
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal | undefined;
}

/** What a pool stands on. */
export interface ReadPoolOptions {
  readonly settings: Omit<ThreadSettings, "stop">;
  /** How many threads there are at most. */
  readonly threads: number;
  readonly clock: Clock;
  /** What the main thread knows of the database; the same object until it changes. */
  readonly state: () => DatabaseState;
}

interface Job extends PooledRead {
  /** Where it runs; `undefined` while it waits. */
  thread: ReaderThread | undefined;
  /** From now on it runs: its thread has started. */
  begin(): void;
  /** Tells how it ended; only the first time counts. */
  readonly settle: (outcome: { readonly reply: ReadReply } | { readonly error: unknown }) => void;
}

/**
 * A few threads that read. What waits for them is bounded in number and in time, addresses take turns, and one thread is
 * kept free of reads that are known to take long.
 */
export class ReadPool {
  readonly #options: ReadPoolOptions;
  readonly #line: WaitingLine<Job> = new WaitingLine(maxWaiting);
  readonly #idle: ReaderThread[] = [];
  readonly #running: Map<ReaderThread, Job> = new Map();
  /** Ended, but not gone: they are in code that can't be stopped. */
  readonly #lost: Set<ReaderThread> = new Set();
  #isClosed = false;

  constructor(options: ReadPoolOptions) {
    this.#options = options;
  }

  /**
   * Has a thread read.
   *
   * @throws Refusal 503 where too many wait, or it takes too long; NotStarted; NoThreads where this process can have none; Error where
   * the thread broke down
   */
  read(read: PooledRead): Promise<ReadReply> {
    if (this.#isClosed) return Promise.reject(unavailable("The service is stopping."));
    return new Promise((resolve, reject) => {
      const { signal } = read;
      const end = (error: unknown): void => this.#end(job, error);
      const onAbort = (): void => end(unavailable("Nobody waits for the answer."));
      const { clock } = this.#options;
      let isSettled = false;
      const cancelTimers = [clock.setTimer(() => end(this.#whyLate(job)), read.waitMs)];
      const job: Job = {
        ...read,
        thread: undefined,
        begin: () => {
          if (!isSettled) cancelTimers.push(clock.setTimer(() => end(read.onTooLong()), read.limitMs));
        },
        settle: (outcome) => {
          isSettled = true;
          for (const cancel of cancelTimers) cancel();
          signal?.removeEventListener("abort", onAbort);
          if ("reply" in outcome) resolve(outcome.reply);
          else reject(outcome.error);
        },
      };
      if (read.startMs !== undefined) {
        cancelTimers.push(clock.setTimer(() => this.#requireStarted(job), read.startMs));
      }
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) return onAbort();
      this.#line.add(job)?.settle({ error: unavailable("Too many reads wait already.") });
      this.#next();
    });
  }

  /** Ends all threads, and what waits for them. Twice is fine. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const error = unavailable("The service is stopping.");
    for (const job of this.#line.clear()) job.settle({ error });
    for (const job of this.#running.values()) this.#end(job, error);
    const threads = [...this.#idle, ...this.#running.keys()];
    await Promise.all(threads.map((thread) => this.#leave(thread)));
  }

  async #leave(thread: ReaderThread): Promise<void> {
    const late = (): Promise<void> => new Promise((resolve) => this.#options.clock.setTimer(resolve, graceMs));
    const isGone = await Promise.race([thread.leave().then(() => true), late()]);
    if (!isGone) await Promise.race([thread.kill(), late()]);
  }

  get #hasStarted(): boolean {
    return this.#idle.length > 0 || [...this.#running.keys()].some(({ isReady }) => isReady);
  }

  /** Why a read has not been answered after all the time that it has. */
  #whyLate({ thread, onTooLong }: Job): unknown {
    if (thread?.isReady) return onTooLong();
    if (thread || !this.#hasStarted) {
      return unavailable("The machine is busy: no thread that reads has started in time.");
    }
    return unavailable("Too many other reads take long just now.");
  }

  /** A thread that is still starting goes on, for those who come later. */
  #requireStarted(job: Job): void {
    if (this.#hasStarted) return;
    if (job.thread) job.thread.stop();
    else this.#line.remove(job);
    job.settle({ error: new NotStarted("No thread that reads has started yet.") });
  }

  /** Ends a job before its time. */
  #end(job: Job, error: unknown): void {
    job.settle({ error });
    const { thread } = job;
    if (!thread) {
      this.#line.remove(job);
      return;
    }
    thread.stop();
    this.#options.clock.setTimer(() => {
      if (this.#running.get(thread) === job) this.#drop(thread);
    }, graceMs);
  }

  #drop(thread: ReaderThread): void {
    this.#running.delete(thread);
    this.#lost.add(thread);
    void thread.kill();
    this.#next();
  }

  /** Gives threads what waits. */
  #next(): void {
    while (!this.#isClosed) {
      const hasRoom = this.#idle.length > 0 || this.#mayStart();
      const job = hasRoom ? this.#takeNext() : undefined;
      if (!job) return;
      const thread = this.#idle.pop() ?? this.#start(job);
      if (thread) void this.#run(thread, job);
    }
  }

  #mayStart(): boolean {
    const { threads } = this.#options;
    return this.#running.size < threads && this.#lost.size < threads;
  }

  /** One slow read has its place, and one thread is for those that are not known to be slow. */
  #takeNext(): Job | undefined {
    const { threads } = this.#options;
    const slow = [...this.#running.values()].filter(({ isSlow }) => isSlow).length;
    if (slow === 0 && threads > 1) return this.#line.take("slow") ?? this.#line.take("quick");
    return this.#line.take("quick") ?? (slow < Math.max(1, threads - 1) ? this.#line.take("slow") : undefined);
  }

  #start(job: Job): ReaderThread | undefined {
    try {
      return new ReaderThread(this.#options.settings, {
        onReady: (thread) => this.#running.get(thread)?.begin(),
        onEnd: (thread) => this.#forget(thread),
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      this.#giveUp(new NoThreads(`No thread can be started: ${reason}`, { cause }), job);
      return undefined;
    }
  }

  /** Where there can be no threads, nothing waits for one. */
  #giveUp(error: NoThreads, ...more: readonly Job[]): void {
    for (const job of [...more, ...this.#line.clear()]) job.settle({ error });
  }

  async #run(thread: ReaderThread, job: Job): Promise<void> {
    job.thread = thread;
    this.#running.set(thread, job);
    if (thread.isReady) job.begin();
    try {
      job.settle({ reply: await thread.run(job.request, this.#options.state()) });
    } catch (error) {
      job.settle({ error });
      if (error instanceof NoThreads) this.#giveUp(error);
      return;
    }
    if (this.#running.delete(thread)) this.#idle.push(thread);
    this.#next();
  }

  #forget(thread: ReaderThread): void {
    this.#lost.delete(thread);
    this.#running.delete(thread);
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#next();
  }
}
