import { RocketError } from "../../../protocol/index.ts";
import type { Clock, OriginRequest, OriginResponse } from "../../../server/index.ts";
import { Denied } from "../../engine/denied.ts";
import type { Guard } from "../../engine/snapshot.ts";
import { done } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { formatJson } from "../../json/json.ts";
import { catalogOf, type IsServed } from "../../rest/catalog.ts";
import type { LiveSettings } from "../../rest/live.ts";
import { preferredCount } from "../../rest/preferences.ts";
import { read } from "../../rest/read.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Target } from "../../rest/target.ts";
import { busyWaitMs } from "../busy.ts";
import { Overrun, type Reader } from "../engine/reader.ts";
import type { DatabaseState, Failure, ReadOutcome, TaskViewer } from "./messages.ts";
import { NotStarted, type ReadPool } from "./read-pool.ts";
import { NoThreads } from "./reader-thread.ts";
import { LongShapes, shapeOf } from "./shapes.ts";
import { isSmall, tooLong } from "./too-long.ts";

const maxSchemaChanges = 5;
/** How long a read waits until it tries a locked database again, in milliseconds. */
const busyPauseMs = 20;
/** The share of its time that a read waits for the first thread to start; and how long it may then take on the main thread, in milliseconds. */
const [startShare, unthreadedMs] = [1 / 5, 100];
/** How long a read may keep others from writing, where the database is not in WAL mode. */
const lockedLimitMs = 1_000;

/** What reads stand on. */
export interface ReadsOptions {
  readonly reader: Reader;
  readonly isServed: IsServed;
  /** A snapshot as a viewer may see it. */
  readonly guard: Guard;
  /** Absent where all reads run on the main thread. */
  readonly pool: ReadPool | undefined;
  readonly state: () => DatabaseState;
  readonly poll: () => Promise<void>;
  readonly live: LiveSettings;
  readonly clock: Clock;
  /** How long a read may take, in milliseconds. */
  readonly limitMs: number;
  /** How long a read may hold up the main thread, where there are others. */
  readonly mainLimitMs: number;
  readonly onError: (error: unknown, stage: string) => void;
}

/** An error of a thread, as it would have been here. */
function revive({ name, message, stack, code, errcode }: Failure): Error {
  const error = new Error(message);
  const more = Object.entries({ name, stack, code, errcode }).filter(([, value]) => value !== undefined);
  return Object.assign(error, Object.fromEntries(more));
}

/** Thrown where a thread finds no file. */
class Unread extends Error {}

/** A GET or HEAD, and whom it is for. */
interface Asked {
  readonly request: OriginRequest;
  readonly target: Target;
  readonly viewer: Viewer;
}

function portableViewer({ claims, key }: Viewer): TaskViewer {
  return { claims: claims && formatJson(claims), key };
}

function addressOf({ peer }: OriginRequest): string {
  return String((peer as { readonly remoteAddress?: unknown } | undefined)?.remoteAddress ?? "");
}

/**
 * Answers GETs. Each begins on the main thread, where a short one costs least. One that takes too long there is given up,
 * and done by a thread; as are its like for a while, at once.
 */
export class Reads {
  readonly #options: ReadsOptions;
  readonly #long: LongShapes;
  #pool: ReadPool | undefined;

  constructor(options: ReadsOptions) {
    this.#options = options;
    this.#pool = options.pool;
    this.#long = new LongShapes(options.clock, options.mainLimitMs);
  }

  /** @throws Refusal, and what the database throws */
  async answer(request: OriginRequest, target: Target, viewer: Viewer): Promise<OriginResponse> {
    const shape = shapeOf(request.method, target, preferredCount(request.fields) !== undefined);
    if (this.#pool && !this.#long.has(shape)) {
      const answer = await this.#readHere(request, target, viewer, this.#options.mainLimitMs);
      if (answer) {
        this.#long.clear(shape);
        return answer;
      }
      this.#long.add(shape);
    }
    try {
      if (this.#pool) return await this.#readElsewhere(this.#pool, { request, target, viewer }, shape);
    } catch (error) {
      if (!(error instanceof NoThreads)) throw error;
      this.#doWithout(error);
    }
    const limitMs = this.#limitMs();
    const answer = await this.#readHere(request, target, viewer, limitMs);
    if (!answer) throw await this.#tooLong(request, target, limitMs, shape);
    return answer;
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.#options.pool?.close();
  }

  /** On the main thread; `undefined` where it takes too long for that. */
  async #readHere(
    request: OriginRequest,
    target: Target,
    viewer: Viewer,
    ms: number,
  ): Promise<OriginResponse | undefined> {
    const { reader, isServed, guard, live } = this.#options;
    if (ms <= 0) return undefined;
    try {
      return await reader.read((snapshot) => {
        const shown = guard(snapshot, viewer);
        return read(shown, catalogOf(shown.schema, isServed), request, target, live);
      }, ms);
    } catch (error) {
      if (error instanceof Overrun) return undefined;
      throw error;
    }
  }

  /**
   * In a thread. Where none starts in time, the machine is busy: what was given up here may only have waited for a core. And a
   * file that was removed is still open here.
   */
  async #readElsewhere(pool: ReadPool, asked: Asked, shape: string): Promise<OriginResponse> {
    try {
      return await this.#readInThread(pool, asked, { shape, startMs: this.#options.limitMs * startShare });
    } catch (error) {
      if (!(error instanceof NotStarted || error instanceof Unread)) throw error;
    }
    const { request, target, viewer } = asked;
    const answer = await this.#readHere(request, target, viewer, unthreadedMs);
    if (answer) return answer;
    return this.#readInThread(pool, asked, { shape }).catch((error: unknown) => {
      throw error instanceof Unread ? unavailable("The database's file was removed or renamed.") : error;
    });
  }

  /** @throws NotStarted where no thread has started within `startMs`; Unread */
  async #readInThread(
    pool: ReadPool,
    asked: Asked,
    { shape, startMs }: { readonly shape: string; readonly startMs?: number },
  ): Promise<OriginResponse> {
    const { clock, state, limitMs } = this.#options;
    const start = clock.now();
    let busySince: number | undefined;
    for (let changes = 0; changes < maxSchemaChanges; ) {
      const { segment } = state();
      const waitMs = limitMs - (clock.now() - start);
      const { outcome, ms } = await this.#run(pool, asked, shape, { waitMs, startMs });
      if (outcome.kind === "failure") throw revive(outcome.failure);
      if (outcome.kind === "denied") throw new Denied();
      if (outcome.kind === "unopened") throw new Unread();
      // A position is of the segment that there was when it was asked for.
      if (outcome.kind === "answer" && segment === state().segment) {
        this.#long.note(shape, ms);
        return outcome.response;
      }
      if (outcome.kind === "busy") {
        busySince ??= clock.now();
        if (clock.now() - busySince >= busyWaitMs) throw unavailable("The database is locked by another program.");
        await new Promise<void>((resolve) => clock.setTimer(resolve, busyPauseMs));
      } else {
        changes += 1;
        await this.#options.poll();
      }
    }
    throw unavailable("The database's schema is being changed.");
  }

  async #run(
    pool: ReadPool,
    { request, target, viewer }: Asked,
    shape: string,
    { waitMs, startMs }: { readonly waitMs: number; readonly startMs: number | undefined },
  ): Promise<{ readonly outcome: ReadOutcome; readonly ms: number }> {
    const late = new Error("The read took too long.");
    const limitMs = Math.min(this.#limitMs(), waitMs);
    try {
      return await pool.read({
        request: { ...request, viewer: portableViewer(viewer) },
        address: addressOf(request),
        isSlow: this.#long.isSlow(shape),
        ...{ waitMs, startMs, limitMs },
        onTooLong: () => late,
        signal: request.signal,
      });
    } catch (error) {
      if (error !== late) throw error;
      throw await this.#tooLong(request, target, this.#limitMs(), shape);
    }
  }

  async #tooLong(request: OriginRequest, target: Target, limitMs: number, shape: string): Promise<Error> {
    const { reader, isServed, onError } = this.#options;
    const isSlow = this.#long.isSlow(shape);
    const refusal = await reader.read((snapshot) => {
      const isBusy = !isSlow && isSmall(snapshot, isServed, target);
      // What a busy machine made long is not known to be slow.
      if (!isBusy) this.#long.note(shape, limitMs);
      return done(tooLong(snapshot, isServed, target, { limitMs, isBusy }));
    });
    const path = request.target.split("?")[0];
    onError(new RocketError("read-too-slow", `${request.method} ${path}: ${refusal.message}`), "read");
    return refusal;
  }

  /** Who reads keeps others from writing, where the database is not in WAL mode. */
  #limitMs(): number {
    const { reader, limitMs } = this.#options;
    return reader.locksWriters() ? Math.min(limitMs, lockedLimitMs) : limitMs;
  }

  #doWithout({ message }: NoThreads): void {
    if (!this.#pool) return;
    this.#pool = undefined;
    const note = `${message.replace(/\.$/, "")}. All reads run on the main thread, where a long one holds up the others.`;
    this.#options.onError(new RocketError("reads-unthreaded", note), "read");
  }
}
