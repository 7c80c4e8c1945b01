import type { Bookmark, Clock } from "../../../server/index.ts";
import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Written } from "../../engine/engine.ts";
import type { Transaction } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Pool, Row, Session, TransactionSession } from "../driver.ts";
import { journalFailure } from "../journal/failure.ts";
import { openingOf, openingSql } from "../journal/opening.ts";
import type { PostgresJournal, Ticking } from "../journal/options.ts";
import { answersSql } from "../journal/sql-tables.ts";
import { beginWrite, ownSettings, writeStatements } from "../own-transaction.ts";
import { isReadOnly } from "../sql-state.ts";
import { setValueSettings } from "../value-settings.ts";
import { markAnswers, markOwnAnswers } from "./answers.ts";
import { isAway, isConflict, isOutdated, MustRead } from "./failure.ts";
import { OpenedSession, type Place } from "./opened-session.ts";
import { inOwnWords } from "./rule.ts";
import { runSteps } from "./run-steps.ts";
import type { Known, Role, SchemaSource } from "./schema-source.ts";
import type { PostgresSchema } from "./served.ts";
import type { SnapshotState } from "./snapshot.ts";
import type { SourceFinder } from "./source-finder.ts";
import { PostgresTransaction } from "./transaction.ts";
import { ViewerSession } from "./viewer-session.ts";
import { commitFor } from "./viewer-settings.ts";

/** How often a transaction is tried: others may be in its way, and the schema another one than was known. */
const maxAttempts = 5;
/** How long a write waits for what others keep locked, in milliseconds. */
const lockMs = 5_000;
/** How long the answer to a write waits for its position, in milliseconds. */
const settleMs = 250;

/** How long a statement of a write may take, in milliseconds. */
const statementMs = 60_000;

const limits = { statementMs, lockMs };
const settings = `${setValueSettings}; ${ownSettings(limits)}`;
/** Each write has its savepoint; the first one's comes with the beginning. */
const savepoint = "SAVEPOINT rocket_write";
const begin = [...writeStatements(limits), savepoint, openingSql];

interface Job {
  readonly viewer: Viewer;
  readonly run: (transaction: Transaction) => Steps<unknown>;
  readonly resolve: (written: Written<unknown>) => void;
  readonly reject: (error: unknown) => void;
}

/** What became of a job in its transaction. */
type Outcome = { readonly result: unknown; readonly transaction: PostgresTransaction } | { readonly error: unknown };

/** What a writer stands on. */
export interface WriterOptions {
  readonly pool: Pool;
  readonly source: SchemaSource;
  readonly journal: PostgresJournal;
  readonly finder: SourceFinder;
  readonly clock: Clock;
  readonly onError: (error: unknown, stage: string) => void;
}

/** The how-manieth time it is. */
interface Attempt {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Whether positions are given once it is committed. Default false */
  readonly isApart?: boolean;
}

/** What a transaction's schema has to be. */
interface Asked {
  readonly jobs: readonly Job[];
  /** As it was known to the connection's own role when the transaction was begun. */
  readonly known: Known | undefined;
  readonly attempt: Attempt;
}

/** How a job is run. */
interface Run {
  /** What its viewer may read. */
  readonly schema: PostgresSchema;
  readonly now: number;
  readonly isLast: boolean;
  /** The constraints that wait for the end of the transaction, as SQL has their names. */
  readonly deferred: string;
  /** Whether each record is read before it is changed. Default false */
  readonly readsFirst?: boolean;
}

/** Thrown where a group was begun with a schema that is not so any more. */
class Outdated extends Error {}

/** Thrown where a transaction's own tick failed: it may be no trouble of the writes. */
class TickFailed extends Error {}

/** Where the journal stands after a transaction, as far as its own tick has told. */
interface Ended {
  readonly bookmark: Bookmark | undefined;
  /** Whether the answers that were kept say so. */
  readonly isMarked: boolean;
}

/** The first of some errors, in the order of what failed. */
async function allInOrder(running: readonly Promise<unknown>[]): Promise<void> {
  for (const one of running) one.catch(() => undefined);
  for (const one of running) await one;
}

/** The numbers of the answers that were kept. */
function keptOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => ("transaction" in outcome ? outcome.transaction.kept : []));
}

/** The constraints that wait for the end of a transaction, as SQL has their names. */
const deferredSql = `SELECT coalesce(string_agg(DISTINCT format('%I.%I', n.nspname, c.conname), ', '), '')
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
  WHERE c.condeferred AND has_schema_privilege(n.oid, 'USAGE')`;

/** Goes with the next statement, in one message: where it fails, that does, too. */
function renewSavepoint(session: Session): void {
  for (const sql of ["RELEASE rocket_write", savepoint]) session.query(sql, [], "keep").catch(() => undefined);
}

/** The roles of some writes, each once. */
function rolesOf(jobs: readonly Job[]): Set<Role> {
  return new Set(jobs.map(({ viewer }) => viewer.role));
}

/**
 * Writes in groups: what comes in one turn of the event loop is one transaction, each write in a savepoint, in that order.
 * A write that fails takes no other with it.
 */
export class Writer {
  readonly #options: WriterOptions;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  readonly #answering: Set<Promise<void>> = new Set();
  #isClosed = false;

  constructor(options: WriterOptions) {
    this.#options = options;
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
      outcomes = await this.#runAll(session, begun, jobs, attempt);
      return outcomes;
    };
    try {
      const ended = await this.#transact(run, rolesOf(jobs), attempt);
      this.#answer(jobs, outcomes ?? [], ended);
      return "done";
    } catch (error) {
      if (error instanceof TickFailed) return this.#tryCommit(jobs, { ...attempt, isApart: true });
      if (error instanceof Outdated) return "outdated";
      if (isConflict(error) && !attempt.isLast) return "again";
      await this.#onLost(jobs, outcomes, error);
      return "done";
    }
  }

  /** Runs a transaction, which gives itself its positions in the message that commits it, unless that is to be done apart. */
  async #transact(
    run: (session: TransactionSession, begun: Promise<readonly Row[]>) => Promise<readonly Outcome[]>,
    roles: ReadonlySet<Role>,
    { isApart = false }: Attempt,
  ): Promise<Ended> {
    const { pool, journal } = this.#options;
    let kept: readonly string[] = [];
    let marking: Promise<number> | undefined;
    let ticking: Ticking | undefined;
    const task = async (session: TransactionSession, begun: Promise<readonly Row[]>): Promise<void> => {
      kept = keptOf(await run(session, begun));
    };
    const commit = async (session: TransactionSession): Promise<void> => {
      const ending = (): Promise<unknown>[] => commitFor(roles).map((sql) => session.query(sql, [], "keep"));
      if (isApart) return allInOrder(ending());
      // What waits for the end may wait for others: not while they wait for the journal.
      const checking = session.query("SET CONSTRAINTS ALL IMMEDIATE", [], "keep");
      ticking = journal.tickIn(session);
      marking = kept.length > 0 ? markOwnAnswers(session, kept) : undefined;
      const rest = [...(marking ? [marking] : []), ...ending()];
      const ticked = ticking.asked.catch((cause: unknown) => {
        throw isConflict(cause) || isAway(cause) ? cause : new TickFailed(undefined, { cause });
      });
      await allInOrder([checking, ticked, ...rest]);
    };
    try {
      await pool.transaction(begin, task, commit);
      const isMarked = kept.length === 0 || (await marking) === kept.length;
      // It is committed: what goes wrong from here on is no failure of it.
      return { bookmark: await ticking?.take().catch(() => undefined), isMarked };
    } finally {
      ticking?.end();
    }
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

  /** As if the schema were the one that is known: what the first job asks first goes with the question whether it is. */
  async #runAll(
    session: TransactionSession,
    begun: Promise<readonly Row[]>,
    jobs: readonly Job[],
    attempt: Attempt,
  ): Promise<Outcome[]> {
    const { source, clock } = this.#options;
    // Others may learn something newer meanwhile: what the first job is given now is what has to be so.
    const known = source.knownOf(undefined);
    const opened = new OpenedSession(session, this.#requireSchema(session, begun, { jobs, known, attempt }));
    const hasRoles = jobs.some(({ viewer }) => viewer.role !== undefined);
    // Then it is asked as the connection's own role.
    if (hasRoles) await opened.known;
    const [row] = hasRoles ? await session.query(deferredSql) : [];
    const deferred = row?.[0] ?? "";
    const outcomes: Outcome[] = [];
    for (const job of jobs) {
      const former = outcomes.at(-1);
      // One that failed was rolled back to its savepoint, which is the next one's.
      if (former && !("error" in former)) renewSavepoint(session);
      const schema =
        (job.viewer.role === undefined ? known?.schema : source.schemaFor(job.viewer.role)) ?? source.schema;
      const now = clock.wallTime();
      outcomes.push(await this.#runOne(opened, job, { schema, now, isLast: attempt.isLast, deferred }));
    }
    return outcomes;
  }

  /** @throws Outdated where it is another one than is known */
  async #requireSchema(session: TransactionSession, begun: Promise<readonly Row[]>, asked: Asked): Promise<Place> {
    const { jobs, known, attempt } = asked;
    const { source } = this.#options;
    const { schemaChanges, isSchemaPending } = openingOf(await begun);
    // Later on it has a position. What else has none is waited for by nobody: where others write, there is always something.
    if (attempt.isFirst && isSchemaPending) throw new Outdated();
    const roles = rolesOf(jobs);
    const isKnown = !roles.has(undefined) || (known !== undefined && source.isOf(known, schemaChanges));
    if (!isKnown || !(await source.isCurrent(session, roles, schemaChanges))) throw new Outdated();
    return { bookmark: undefined, ahead: undefined };
  }

  async #runOne(session: OpenedSession, job: Job, run: Run): Promise<Outcome> {
    const { viewer } = job;
    const { now, isLast, deferred, readsFirst = false } = run;
    const { source, finder } = this.#options;
    const state: SnapshotState = {
      viewer,
      schema: run.schema,
      bookmark: undefined,
      unwatched: source.unwatched,
      finder,
    };
    const acting = new ViewerSession(session, viewer);
    const transaction = new PostgresTransaction(acting, state, now, readsFirst);
    try {
      const result = await runSteps(job.run(transaction));
      await session.known;
      await transaction.finish(deferred);
      await acting.leave(settings);
      return { result, transaction };
    } catch (error) {
      // What another schema made of it is nobody's concern.
      await session.known;
      if (isConflict(error) || isAway(error)) throw error;
      // The viewer's role and claims are rolled back, too: they were taken on behind the savepoint.
      await session.script("ROLLBACK TO rocket_write");
      if (error instanceof MustRead) return this.#runOne(session, job, { ...run, readsFirst: true });
      if (isOutdated(error) && !isLast) {
        await this.#requireAnswers(session);
        source.doubt();
        throw new Outdated();
      }
      return { error: error instanceof BrokenRule ? await inOwnWords(session, error) : error };
    }
  }

  /** The table of answers may have been dropped, or be from before there was one. */
  async #requireAnswers(session: Session): Promise<void> {
    const [row] = await session.query("SELECT to_regclass('rocket.answers') IS NULL");
    if (row?.[0] === "t") await this.#options.pool.script(`${beginWrite}; ${answersSql}; COMMIT`);
  }

  #answer(jobs: readonly Job[], outcomes: readonly Outcome[], ended: Ended): void {
    const answering = this.#settle(outcomes, ended)
      .then((bookmark) => {
        for (const [at, outcome] of outcomes.entries()) {
          if ("error" in outcome) jobs[at]?.reject(outcome.error);
          else jobs[at]?.resolve({ result: outcome.result, bookmark });
        }
      })
      .finally(() => this.#answering.delete(answering));
    this.#answering.add(answering);
  }

  /** Where the journal stands after what was committed, as far as that is known in time. */
  async #settle(outcomes: readonly Outcome[], ended: Ended): Promise<Bookmark | undefined> {
    const { journal, pool, onError } = this.#options;
    const bookmark = ended.bookmark ?? (await journal.settle(settleMs));
    const kept = keptOf(outcomes);
    if (bookmark && kept.length > 0 && !ended.isMarked) {
      await pool
        .transaction(beginWrite, (session) => markAnswers(session, kept, bookmark.eventId))
        .catch((error: unknown) => onError(error, "write"));
    }
    return bookmark;
  }
}
