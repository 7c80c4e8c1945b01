import type { Clock } from "../../../server/index.ts";
import type { Written } from "../../engine/engine.ts";
import type { Transaction } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import { unavailable } from "../../rest/refusal.ts";
import { busyWaitMs, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../driver.ts";
import { isRocketTrigger } from "../journal.ts";
import { allowQuotedStrings } from "../quoted-strings.ts";
import { isBusy } from "../sqlite-error.ts";
import { runAtOnce } from "./at-once.ts";
import type { Ledger } from "./ledger.ts";
import type { Link } from "./link.ts";
import { unknownRule } from "./rule.ts";
import type { Served } from "./served.ts";
import { SqliteTransaction } from "./snapshot.ts";
import { beginGroup, type Outcome, rollBack } from "./transaction.ts";

/** A write: it runs in a savepoint of its own, maybe more than once. */
type Write<Result> = (transaction: Transaction) => Steps<Result>;

/** What a write has done. */
interface Done {
  readonly result: unknown;
  readonly transaction: SqliteTransaction;
}

interface Job {
  readonly run: Write<unknown>;
  readonly resolve: (written: Written<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

const maxSchemaChanges = 5;
/** How long one write may hold up everything else, in milliseconds: all of them run on the main thread. */
const writeLimitMs = 5_000;
/** After so long, the writes of a group that have not begun yet wait for the next one. */
const groupMs = 500;

/** Thrown in place of a write that waits for the next group. */
class Postponed extends Error {}

function tooLong(): Error {
  const advice = "Write less at once, or narrow its filter.";
  return unavailable(`The write took longer than ${writeLimitMs / 1_000} s: nothing of it was done. ${advice}`);
}

/** What a writer stands on. */
export interface WriterOptions {
  readonly link: Link;
  readonly ledger: Ledger;
  readonly served: Served;
  readonly clock: Clock;
  readonly onError: (error: unknown, stage: string) => void;
}

/** Says more of what failed at the commit, where one write is all that was done. */
function explained(outcomes: readonly Outcome<Done>[], error: unknown): unknown {
  const [only, ...others] = outcomes;
  if (!only || others.length > 0 || "error" in only) return unknownRule(error);
  return only.result.transaction.explain(error);
}

/**
 * Writes in groups: what comes in one turn of the event loop is one transaction, each write in a savepoint, and all are
 * answered after the commit. A write that fails takes no other with it.
 */
export class Writer {
  readonly #options: WriterOptions;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  #prepared: { readonly connection: Connection; readonly version: number } | undefined;
  #isPollDue = false;
  #isClosed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  /**
   * Runs a write; resolves once it is committed.
   *
   * @throws what the write throws, or a Refusal 503 where the database stayed locked
   */
  write<Result>(run: Write<Result>): Promise<Written<Result>> {
    if (this.#isClosed) return Promise.reject(unavailable("The service is stopping."));
    return new Promise<Written<Result>>((resolve, reject) => {
      this.#queue.push({ run, resolve: resolve as Job["resolve"], reject });
      this.#running ??= this.#start();
    });
  }

  /** Takes no more writes, and waits for those that it has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    this.#options.link.close();
  }

  async #start(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.clock.defer(resolve));
    while (this.#queue.length > 0) {
      const jobs = this.#queue;
      this.#queue = [];
      await this.#commit(jobs);
      this.#pollSoon();
      // Those who only read have their turn between two groups.
      if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#options.clock.defer(resolve));
    }
    this.#running = undefined;
  }

  /** Looks at what was written once those who wait for an answer have theirs. */
  #pollSoon(): void {
    const { clock, ledger, onError } = this.#options;
    if (this.#isPollDue) return;
    this.#isPollDue = true;
    clock.defer(() => {
      this.#isPollDue = false;
      ledger.poll().catch((error: unknown) => onError(error, "poll"));
    });
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    try {
      for (let attempt = 0; attempt < maxSchemaChanges; attempt += 1) {
        if (await this.#tryCommit(jobs)) return;
        await this.#options.ledger.prepare();
      }
      throw unavailable("The database's schema is being changed.");
    } catch (error) {
      for (const { reject } of jobs) reject(error);
    }
  }

  /** False where the schema was not the one that is known: nothing was written then. */
  async #tryCommit(jobs: readonly Job[]): Promise<boolean> {
    const { link, ledger, served, clock } = this.#options;
    const deadline = clock.now() + busyWaitMs;
    const retry = <Result>(action: () => Result): Promise<Result> =>
      retryWhenBusy(action, { clock, waitMs: Math.max(0, deadline - clock.now()) });
    const { connection, outcomes, end } = await retry(() => {
      const connection = link.current();
      this.#prepare(connection);
      const { schema, unwatched } = ledger;
      const state = { ...served.state(schema, unwatched), bookmark: undefined };
      const began = clock.now();
      const actions = jobs.map(({ run }) => (): Done => {
        if (clock.now() - began >= groupMs) throw new Postponed();
        const transaction = new SqliteTransaction(connection, state, clock.wallTime());
        const act = (): unknown => runAtOnce(run(transaction));
        return { result: connection.brake.within(clock, writeLimitMs, tooLong, act), transaction };
      });
      return { connection, ...beginGroup(connection, actions, (outcomes) => this.#seal(connection, outcomes)) };
    });
    if (!ledger.isReady(end.schemaVersion)) {
      rollBack(connection);
      return false;
    }
    try {
      await retry(() => connection.prepare("COMMIT").run());
    } catch (error) {
      const told = isBusy(error) ? error : explained(outcomes, error);
      rollBack(connection);
      if (jobs.length === 1 || isBusy(error)) throw told;
      // A constraint that is checked at the commit failed: find out whose it was.
      for (const job of jobs) await this.#commit([job]);
      return true;
    }
    const postponed: Job[] = [];
    for (const [at, job] of jobs.entries()) {
      const outcome = outcomes[at];
      if (!outcome) continue;
      if (!("error" in outcome)) job.resolve({ result: outcome.result.result, bookmark: end.bookmark });
      else if (outcome.error instanceof Postponed) postponed.push(job);
      else job.reject(outcome.error);
    }
    this.#queue.unshift(...postponed);
    return true;
  }

  /** What triggers say is settled once for each schema. */
  #prepare(connection: Connection): void {
    const { version } = this.#options.ledger.schema;
    if (this.#prepared?.connection === connection && this.#prepared.version === version) return;
    allowQuotedStrings(connection, isRocketTrigger);
    this.#prepared = { connection, version };
  }

  #seal(connection: Connection, outcomes: readonly Outcome<Done>[]): ReturnType<Ledger["standIn"]> {
    const end = this.#options.ledger.standIn(connection);
    for (const outcome of outcomes) if ("result" in outcome) outcome.result.transaction.seal(end.bookmark);
    return end;
  }
}
