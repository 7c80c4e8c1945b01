import { RocketError } from "../../protocol/index.ts";
import { type Clock, systemClock } from "../../server/index.ts";
import { isBusy } from "./sqlite-error.ts";

/** How long a request waits for a database that others hold locked, in milliseconds. */
export const busyWaitMs = 5_000;

/** How long and for what a locked database is waited for. */
export interface BusyOptions {
  /** The timers. Default: the platform's. */
  readonly clock?: Clock;
  /** How long to try, in milliseconds. Default 5,000; 0 tries once. */
  readonly waitMs?: number;
  /** Told once, after a quarter of a second in vain. */
  readonly onWait?: () => void;
  /** Whether to try often: what is to be done takes the lock for a moment only, and others may have it most of the time. */
  readonly isEager?: boolean;
  /** Gives up when it says so, with the error of the last attempt. */
  readonly isCancelled?: () => boolean;
}

const tellAfterMs = 250;
const firstWaitMs = 1;
const longestWaitMs = { eager: 5, patient: 25 } as const;

/** Waits, in milliseconds. A clock's timers let a process end: one that waits in the middle of something must not. */
export async function pause(clock: Clock, ms: number): Promise<void> {
  const keepAlive = setInterval(() => undefined, 60_000);
  try {
    await new Promise<void>((resolve) => clock.setTimer(resolve, ms));
  } finally {
    clearInterval(keepAlive);
  }
}

/**
 * Runs `action`, again and again while another connection's lock is in its way. Between the attempts the event loop is
 * free: the driver's own wait would stop everything else in the process.
 *
 * @throws RocketError `database-busy` where the lock outlasts `waitMs`; what `action` throws otherwise
 */
export async function retryWhenBusy<Result>(action: () => Result, options: BusyOptions = {}): Promise<Result> {
  const { clock = systemClock, waitMs = busyWaitMs, isCancelled, isEager = false } = options;
  const most = isEager ? longestWaitMs.eager : longestWaitMs.patient;
  let { onWait } = options;
  const start = clock.now();
  for (let longest = firstWaitMs; ; longest = Math.min(longest * 2, most)) {
    try {
      return action();
    } catch (error) {
      if (!isBusy(error) || isCancelled?.()) throw error;
      if (clock.now() - start >= waitMs) {
        throw new RocketError("database-busy", `The database was locked for more than ${waitMs} ms.`, { cause: error });
      }
      if (clock.now() - start >= tellAfterMs) {
        onWait?.();
        onWait = undefined;
      }
    }
    const pauseMs = longest * (0.5 + clock.random() / 2);
    await pause(clock, pauseMs);
  }
}
