import type { Bookmark, Clock } from "../../../server/index.ts";
import type { Written } from "../../engine/engine.ts";
import type { Transaction } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Pool, Row, TransactionSession } from "../driver.ts";
import { journalFailure } from "../journal/failure.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { beginWrite } from "../own-transaction.ts";
import { isReadOnly } from "../sql-state.ts";
import { markAnswers } from "./answers.ts";
import { type Ended, Ending, keptOf, TickFailed } from "./ending.ts";
import { isAway, isConflict } from "./failure.ts";
import { type Attempt, beginGroup, Entangled, Group, type Outcome, Outdated, rolesOf, type Write } from "./group.ts";
import type { SchemaSource } from "./schema-source.ts";
import type { SourceFinder } from "./source-finder.ts";

/** How often a transaction is tried: others may be in its way, and the schema another one than was known. */
const maxAttempts = 5;
/** How many transactions of one write each are run at once: as many as there are connections for writes. */
const lanes = 3;
/** How long the answer to a write waits for its position, in milliseconds. */
const settleMs = 250;

interface Job extends Write {
  readonly resolve: (written: Written<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

/** What a writer stands on. */
export interface WriterOptions {
  readonly pool: Pool;
  readonly source: SchemaSource;
  readonly journal: PostgresJournal;
  readonly finder: SourceFinder;
  readonly clock: Clock;
  readonly onError: (error: unknown, stage: string) => void;
}

/**
 * Writes in groups: what comes in one turn of the event loop is one transaction, each write in a savepoint, in that order.
 * A write that fails takes no other with it.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #group: Group;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  readonly #answering: Set<Promise<void>> = new Set();
  #isClosed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#group = new Group(options);
  }

  /** Runs a write as a viewer; resolves once it is committed. @throws what the write throws, or a Refusal */
  write<Result>(run: (transaction: Transaction) => Steps<Result>, viewer: Viewer): Promise<Written<Result>> {
    if (this.#isClosed) return Promise.reject(unavailable("The service is stopping."));
    return new Promise<Written<Result>>((resolve, reject) => {
      this.#queue.push({ viewer, run, resolve: resolve as Job["resolve"], reject });
      this.#running ??= this.#start();
    });
  }

  /** Takes no more writes, and waits for those that it has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
    await Promise.all(this.#answering);
  }

  async #start(): Promise<void> {
    await new Promise<void>((resolve) => this.#options.clock.defer(resolve));
    while (this.#queue.length > 0) {
      const jobs = this.#queue;
      this.#queue = [];
      await this.#commit(jobs);
    }
    this.#running = undefined;
  }

  /** Reads what roles may read; gives the writes whose roles there are, and can be taken on. The others are refused. */
  async #withKnownRoles(jobs: readonly Job[]): Promise<Job[]> {
    const known: Job[] = [];
    for (const job of jobs) {
      try {
        await this.#options.source.refresh(job.viewer.role);
        known.push(job);
      } catch (error) {
        job.reject(error);
      }
    }
    return known;
  }

  async #commit(asked: readonly Job[]): Promise<void> {
    let jobs = asked;
    try {
      for (let attempt = 1; jobs.length > 0; attempt += 1) {
        const isLast = attempt === maxAttempts;
        const end = await this.#tryCommit(jobs, { isFirst: attempt === 1, isLast });
        if (end === "done") return;
        if (isLast) throw unavailable("The database's schema is being changed.");
        if (end === "outdated") jobs = await this.#withKnownRoles(jobs);
      }
    } catch (error) {
      for (const { reject } of jobs) reject(error);
    }
  }

  /** Whether it is done; or to be tried again, and with another schema. */
  async #tryCommit(jobs: readonly Job[], attempt: Attempt): Promise<"done" | "again" | "outdated"> {
    let outcomes: readonly Outcome[] | undefined;
    const run = async (session: TransactionSession, begun: Promise<readonly Row[]>): Promise<readonly Outcome[]> => {
      outcomes = undefined;
      outcomes = await this.#group.run(session, begun, jobs, attempt);
      return outcomes;
    };
    try {
      const ended = await this.#transact(run, new Ending(this.#options.journal, rolesOf(jobs), attempt));
      const all = outcomes ?? [];
      const isLeft = (_: unknown, at: number): boolean => "mustBeAlone" in (all[at] ?? {});
      if (ended) {
        const isDone = (_: unknown, at: number): boolean => !isLeft(_, at);
        this.#answer(jobs.filter(isDone), all.filter(isDone), ended);
      }
      await this.#commitAlone(jobs.filter(isLeft));
      return "done";
    } catch (error) {
      if (error instanceof TickFailed) return this.#tryCommit(jobs, { ...attempt, isApart: true });
      if (error instanceof Entangled) return this.#tryCommit(jobs, { ...attempt, isOneByOne: true });
      if (error instanceof Outdated) return "outdated";
      if (isConflict(error) && !attempt.isLast) return "again";
      await this.#onLost(jobs, outcomes, error);
      return "done";
    }
  }

  /** Has each its own transaction, some at once: they are in each other's way as those of any application are. */
  async #commitAlone(jobs: Job[]): Promise<void> {
    const lane = async (): Promise<void> => {
      for (let job = jobs.shift(); job; job = jobs.shift()) await this.#commit([job]);
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  /** Runs a transaction. Nothing is committed where there is nothing to commit. */
  async #transact(
    run: (session: TransactionSession, begun: Promise<readonly Row[]>) => Promise<readonly Outcome[]>,
    ending: Ending,
  ): Promise<Ended | undefined> {
    const task = async (session: TransactionSession, begun: Promise<readonly Row[]>): Promise<void> => {
      ending.note(await run(session, begun));
    };
    try {
      await this.#options.pool.transaction(beginGroup, task, (session) => ending.commit(session));
    } catch (error) {
      ending.lose();
      throw error;
    }
    return ending.ended();
  }

  /** The transaction is lost: at the commit, perhaps, where some rules are checked. Then it is found out whose it was. */
  async #onLost(jobs: readonly Job[], outcomes: readonly Outcome[] | undefined, error: unknown): Promise<void> {
    if (!outcomes && isReadOnly(error)) throw journalFailure(error);
    if (!outcomes || isAway(error)) throw error;
    if (jobs.length > 1) {
      for (const job of jobs) await this.#commit([job]);
      return;
    }
    const [only] = outcomes;
    throw only && "transaction" in only ? only.transaction.explain(error) : error;
  }

  #answer(jobs: readonly Job[], outcomes: readonly Outcome[], ended: Ended): void {
    const answering = this.#settle(outcomes, ended)
      .then((bookmark) => {
        for (const [at, outcome] of outcomes.entries()) {
          if ("error" in outcome) jobs[at]?.reject(outcome.error);
          else if ("result" in outcome) jobs[at]?.resolve({ result: outcome.result, bookmark });
        }
      })
      .finally(() => this.#answering.delete(answering));
    this.#answering.add(answering);
  }

  /** Where the journal stands after what was committed, as far as that is known in time. */
  async #settle(outcomes: readonly Outcome[], ended: Ended): Promise<Bookmark | undefined> {
    const { journal, pool, onError } = this.#options;
    const bookmark = await journal.settle(settleMs, ended.ticking);
    const kept = keptOf(outcomes);
    const isMarked = ended.marks.length === kept.length && ended.marks.every((mark) => mark === bookmark?.eventId);
    if (bookmark && !isMarked) {
      await pool
        .transaction(beginWrite, (session) => markAnswers(session, kept, bookmark.eventId))
        .catch((error: unknown) => onError(error, "write"));
    }
    return bookmark;
  }
}
