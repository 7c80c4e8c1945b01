import type { Clock } from "../../../server/index.ts";
import { type BusyOptions, pause, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { inWrite } from "./write-transaction.ts";

/** How long Rocket keeps the write lock for its own upkeep, about, in milliseconds: what others have to wait for. */
const sliceMs = 5;
/**
 * How much is done in one write transaction at most. On a busy machine a table's triggers take 10 ms, and more where there
 * are many tables: for each one SQLite looks through the whole schema.
 */
const sliceSteps = 2;
/** How long the lock is tried for before a slice, in milliseconds: what was begun is not given up where others write all the time. */
const patienceMs = 30_000;
/** How long others go first between two slices at least, in milliseconds. */
const pauseMs = 10;
/** And how many times as long as the slice took: where they write, and where nobody has written yet. */
const pauseSlices = { beside: 3, alone: 1 };
/**
 * How many bytes of the schema's SQL a slow machine reads in a millisecond. After each slice others read it anew, and
 * where it changes twice while they prepare one statement, SQLite fails that statement.
 */
const schemaBytesPerMs = 40_000;

/** How work is done in slices. */
export interface SliceOptions extends BusyOptions {
  readonly clock: Clock;
}

/** How long others may need to read the schema as it is now, in milliseconds. */
function estimateReading(connection: Connection): number {
  const [row] = connection.prepare("SELECT total(length(sql)) FROM sqlite_schema").all();
  return Number(row?.[0]) / schemaBytesPerMs;
}

/** Whether another step may be done in this slice, after so many. */
export type MayGoOn = (steps: number) => boolean;

/** Bounds one slice that begins now; its first step may be done in any case. */
export function beginSlice(clock: Clock): MayGoOn {
  const start = clock.now();
  return (steps) => steps < sliceSteps && (steps === 0 || clock.now() - start < sliceMs);
}

/**
 * Does work in short write transactions, with pauses in which others may write. What is done stays done, whatever comes
 * of the rest: each slice must leave the database as it may be found after a crash.
 *
 * @param step - does a part of the work; true once there is no more
 * @throws RocketError `database-busy` where the lock can't be had; what `step` throws
 */
export async function inSlices(
  connection: Connection,
  options: SliceOptions,
  step: (mayGoOn: MayGoOn) => boolean,
): Promise<void> {
  const { clock } = options;
  const patient = { waitMs: patienceMs, isEager: true, ...options };
  let waitMs: number | undefined = 0;
  // It counts what other connections commit.
  const readVersion = (): unknown => connection.prepare("PRAGMA data_version").all()[0]?.[0];
  let version: unknown;
  let isAlone = true;
  const slice = (): void => {
    const start = clock.now();
    const before = version;
    version = readVersion();
    isAlone &&= before === undefined || before === version;
    const isDone = step(beginSlice(clock));
    // On a busy machine, others are as slow.
    const longMs = (isAlone ? pauseSlices.alone : pauseSlices.beside) * (clock.now() - start);
    waitMs = isDone ? undefined : Math.max(pauseMs, longMs, estimateReading(connection));
  };
  for (;;) {
    await retryWhenBusy(() => inWrite(connection, slice), patient);
    if (waitMs === undefined) return;
    await pause(clock, waitMs);
  }
}
