import { Worker } from "node:worker_threads";
import { type DatabaseState, leave, type ReadReply, type ReadTask, ready, type ThreadSettings } from "./messages.ts";
import { threadUrl } from "./thread-url.ts";

/** Where a thread ended before it was ready: there will be no other. */
export class NoThreads extends Error {}

/** What a {@link ReaderThread} tells. */
export interface ThreadEvents {
  /** It has started, and begins with its first task. */
  onReady(thread: ReaderThread): void;
  /** It has ended, and what it was doing with it. */
  onEnd(thread: ReaderThread): void;
}

interface Running {
  readonly id: number;
  readonly resolve: (reply: ReadReply) => void;
  readonly reject: (error: unknown) => void;
}

/** A thread that reads: one task at a time. It keeps the process alive while it has one. */
export class ReaderThread {
  readonly #worker: Worker;
  readonly #stop: Int32Array;
  readonly #ended: Promise<void>;
  #isReady = false;
  /** Whether its end was asked for. */
  #isEnding = false;
  #running: Running | undefined;
  #known: DatabaseState | undefined;
  #lastId = 0;
  #error: unknown;

  /** @throws where this process may have no threads */
  constructor(settings: Omit<ThreadSettings, "stop">, { onReady, onEnd }: ThreadEvents) {
    this.#stop = new Int32Array(new SharedArrayBuffer(4));
    this.#worker = new Worker(threadUrl, { workerData: { ...settings, stop: this.#stop } satisfies ThreadSettings });
    this.#worker.unref();
    this.#worker.on("message", (message: typeof ready | ReadReply) => {
      if (message === ready) {
        this.#isReady = true;
        onReady(this);
      } else this.#settle()?.resolve(message);
    });
    this.#worker.on("error", (error) => {
      this.#error = error;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        resolve();
        const reason = this.#error ?? "it was ended";
        const message = `A thread that reads has ended: ${reason instanceof Error ? reason.message : reason}`;
        const Reason = this.#isReady || this.#isEnding ? Error : NoThreads;
        this.#settle()?.reject(new Reason(message, { cause: this.#error }));
        onEnd(this);
      });
    });
  }

  /** Whether it does a task at once. It takes time to start. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Does a task. @throws Error where the thread ends meanwhile; NoThreads where it never began */
  run(request: ReadTask["request"], state: DatabaseState): Promise<ReadReply> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#running = { id: this.#lastId, resolve, reject };
      this.#worker.ref();
      const isNews = this.#known !== state;
      this.#known = state;
      const { method, target, fields, viewer } = request;
      const asked = { method, target, fields, viewer };
      const task: ReadTask = { id: this.#lastId, request: asked, ...(isNews ? { state } : {}) };
      this.#worker.postMessage(task);
    });
  }

  /** Ends the task at the next row that it looks at. */
  stop(): void {
    if (this.#running) Atomics.store(this.#stop, 0, this.#running.id);
  }

  /** Ends it when it has done its task. */
  leave(): Promise<void> {
    this.#isEnding = true;
    this.#worker.ref();
    this.#worker.postMessage(leave);
    return this.#ended;
  }

  /** Ends it at once; where it is in code that is no JavaScript, when that comes back. */
  kill(): Promise<void> {
    this.#isEnding = true;
    void this.#worker.terminate();
    return this.#ended;
  }

  #settle(): Running | undefined {
    const running = this.#running;
    this.#running = undefined;
    if (!this.#isEnding) this.#worker.unref();
    return running;
  }
}
