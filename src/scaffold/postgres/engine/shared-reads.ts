import type { Clock } from "../../../server/index.ts";
import { Skipped } from "../batch.ts";
import { EndedEarly, type Pool, type ReadingSession, type Row } from "../driver.ts";
import { failedOf } from "./failure.ts";

/** How many reads share a transaction at most. */
const maxShared = 32;
/** How many transactions are carried out at once, as long as none takes long: so that the database has work while this process has. */
const maxBusy = 2;
/** After so long, in milliseconds, what comes waits no longer for the end of those before. */
const lateMs = 10;
/** After so long, those that share a transaction with one that takes its time are run again in another one. */
const againMs = 100;

/** What reads in a transaction, and where that stands. It may be run again, from the start. */
export type Read<Result> = (
  session: ReadingSession,
  begun: Promise<readonly Row[]>,
  isShared: boolean,
) => Promise<Result>;

/** Thrown by a read that must have a transaction of its own: it may set something that others would read by. */
export class NotAlone extends Error {}

interface Job {
  readonly read: Read<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  isOver: boolean;
  /** Whether it was run again. */
  isAgain: boolean;
}

/** What reads share. */
export interface SharedReadsOptions {
  readonly pool: Pool;
  readonly clock: Clock;
  /** The statements that begin their transactions. */
  readonly begin: readonly string[];
}

/** What a read that is alone in its transaction needs. */
export interface AloneOptions extends Pick<SharedReadsOptions, "pool" | "begin"> {
  /** What ends its transaction. Default `COMMIT`. */
  readonly end?: string;
}

/** Runs a read in a transaction of its own; a second time where the first one has ended before all was asked. @throws what it throws */
export async function readAlone<Result>({ pool, begin, end }: AloneOptions, read: Read<Result>): Promise<Result> {
  try {
    return await pool.reading(begin, (session, begun) => read(session, begun, false), end);
  } catch (error) {
    if (!(error instanceof EndedEarly)) throw error;
  }
  const again: Parameters<typeof pool.reading<Result>>[1] = (session, begun) => {
    session.keepOpen();
    return read(session, begun, false);
  };
  return pool.reading(begin, again, end);
}

/** Whether a read may go well where no other was before it in its transaction. */
function isPerhapsOfOthers(error: unknown): boolean {
  const isCutShort = error instanceof NotAlone || error instanceof EndedEarly || error instanceof Skipped;
  return isCutShort || failedOf(error) !== undefined;
}

/**
 * Has reads that come while others are carried out share a transaction, and so its beginning, its end and its messages. What
 * one of them breaks is no trouble of the others', and one that takes long holds up no other for longer than a moment:
 * these are begun again, on their own or in another transaction.
 */
export class SharedReads {
  readonly #options: SharedReadsOptions;
  #waiting: Job[] = [];
  /** How many transactions are carried out that may end at any moment: what comes meanwhile shares the next one. */
  #busy = 0;
  #isStarting = false;

  constructor(options: SharedReadsOptions) {
    this.#options = options;
  }

  /** Runs a read as soon as can be. @throws what it throws */
  run<Result>(read: Read<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ read, resolve: resolve as Job["resolve"], reject, isOver: false, isAgain: false });
      this.#start();
    });
  }

  /** As soon as what runs now has ended, with all that it asks for. */
  #start(): void {
    if (this.#isStarting || this.#busy >= maxBusy) return;
    this.#isStarting = true;
    queueMicrotask(() => {
      this.#isStarting = false;
      this.#runWaiting();
    });
  }

  #runWaiting(): void {
    if (this.#busy >= maxBusy || this.#waiting.length === 0) return;
    const jobs = this.#waiting.splice(0, maxShared);
    this.#busy += 1;
    const { clock } = this.#options;
    let isCounted = true;
    const goOn = (): void => {
      if (isCounted) this.#busy -= 1;
      isCounted = false;
      this.#runWaiting();
    };
    const cancels = [clock.setTimer(goOn, lateMs), clock.setTimer(() => this.#runAgain(jobs), againMs)];
    this.#share(jobs).finally(() => {
      for (const cancel of cancels) cancel();
      goOn();
    });
  }

  /** Those behind the first that is not over, each once. */
  #runAgain(jobs: readonly Job[]): void {
    const [, ...others] = jobs.filter(({ isOver }) => !isOver);
    const first = others.filter(({ isAgain }) => !isAgain);
    for (const job of first) job.isAgain = true;
    this.#waiting.unshift(...first);
    this.#runWaiting();
  }

  /** Never rejects. */
  async #share(jobs: readonly Job[]): Promise<void> {
    const { pool, begin } = this.#options;
    const end = (job: Job, tell: () => void): void => {
      if (!job.isOver) tell();
      job.isOver = true;
    };
    const [first] = jobs;
    try {
      if (first && jobs.length === 1) {
        const result = await readAlone(this.#options, first.read);
        end(first, () => first.resolve(result));
        return;
      }
      await pool.reading(begin, (session, begun) =>
        Promise.all(
          jobs.map(async (job) => {
            try {
              const result = await job.read(session, begun, true);
              end(job, () => job.resolve(result));
            } catch (error) {
              if (isPerhapsOfOthers(error)) this.#runAlone(job);
              else end(job, () => job.reject(error));
            }
          }),
        ),
      );
    } catch (error) {
      for (const job of jobs) end(job, () => job.reject(error));
    }
  }

  #runAlone(job: Job): void {
    if (job.isOver) return;
    void this.#share([job]);
  }
}
