import type { Clock } from "../../../server/index.ts";
import { type BusyOptions, pause, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { isBusy } from "../sqlite-error.ts";
import { inWrite } from "./write-transaction.ts";

/** How long Rocket keeps the write lock for its own upkeep, about, in milliseconds: what others have to wait for. */
const sliceMs = 5;
/**
 * How much is done in one write transaction at most. A table's triggers are some milliseconds of work, and on a busy machine
 * many times as long. Fewer at once would be worse: after each change of the schema all others read it anew.
 */
const sliceSteps = 4;
/** How many times as long as its work a slice may have taken on a machine that does much else. */
const slowest = 10;
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

/** How long others may need to read the schema as it is now, in milliseconds; `undefined` where it is locked just now. */
function estimateReading(connection: Connection): number | undefined {
  try {
    const [row] = connection.prepare("SELECT total(length(sql)) FROM sqlite_schema").all();
    return Number(row?.[0]) / schemaBytesPerMs;
  } catch (error) {
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** Whether another step may be done in this slice, after so many. */
export type MayGoOn = (steps: number) => boolean;

/** Bounds one slice that begins now; its first step may be done in any case. */
export function beginSlice(clock: Clock): MayGoOn {
  const start = clock.now();
  return (steps) => steps < sliceSteps && (steps === 0 || clock.now() - start < sliceMs);
}

/** Tells how much slower the machine is than its processor, by what is done from now on until it is asked. */
function beginMeasuring(clock: Clock): () => number {
  const [start, before] = [clock.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    const slowness = (1_000 * (clock.now() - start)) / Math.max(1_000, user + system);
    return Math.min(slowest, Math.max(1, slowness));
  };
}

/** Work that is done slice by slice, and how long others go first in between. */
class SlicedWork {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #step: (mayGoOn: MayGoOn) => boolean;
  /** It counts what other connections commit. */
  #version: unknown;
  #isAlone = true;
  #slowness = 1;
  #readingMs = 0;
  #waitMs = 0;

  constructor(connection: Connection, clock: Clock, step: (mayGoOn: MayGoOn) => boolean) {
    this.#connection = connection;
    this.#clock = clock;
    this.#step = step;
  }

  /** Does a slice, inside the caller's write transaction; true once there is no more. */
  slice(): boolean {
    const clock = this.#clock;
    const start = clock.now();
    const measured = beginMeasuring(clock);
    const before = this.#version;
    this.#version = this.#connection.prepare("PRAGMA data_version").all()[0]?.[0];
    this.#isAlone &&= before === undefined || before === this.#version;
    const isDone = this.#step(beginSlice(clock));
    // On a busy machine, others are as slow.
    const longMs = (this.#isAlone ? pauseSlices.alone : pauseSlices.beside) * (clock.now() - start);
    this.#slowness = Math.max(this.#slowness, measured());
    this.#waitMs = Math.max(pauseMs, longMs);
    return isDone;
  }

  /** How long others go first now. Asked once nobody waits for the lock: the whole schema is looked through for it. */
  nextPauseMs(): number {
    this.#readingMs = estimateReading(this.#connection) ?? this.#readingMs;
    return Math.max(this.#waitMs, this.#readingMs * (this.#isAlone ? 1 : this.#slowness));
  }
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
  const work = new SlicedWork(connection, clock, step);
  const slice = (): boolean => inWrite(connection, () => work.slice());
  while (!(await retryWhenBusy(slice, patient))) await pause(clock, work.nextPauseMs());
}
