import type { Clock } from "../../../server/index.ts";
import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Transaction } from "../../engine/snapshot.ts";
import type { Steps } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import type { Pool, Row, Session, TransactionSession } from "../driver.ts";
import { openingOf, openingSql } from "../journal/opening.ts";
import { answersSql } from "../journal/sql-tables.ts";
import { allSettings, beginWrite, beginWriting, ownSettings } from "../own-transaction.ts";
import { setValueSettings } from "../value-settings.ts";
import { isAway, isConflict, isOutdated, MustBeAlone, MustRead } from "./failure.ts";
import { OpenedSession, type Place } from "./opened-session.ts";
import { inOwnWords } from "./rule.ts";
import { runSteps } from "./run-steps.ts";
import type { Known, Role, SchemaSource } from "./schema-source.ts";
import type { PostgresSchema } from "./served.ts";
import type { SnapshotState } from "./snapshot.ts";
import type { SourceFinder } from "./source-finder.ts";
import { PostgresTransaction, type WriteOptions } from "./transaction.ts";
import { ViewerSession } from "./viewer-session.ts";

/** How long a write waits for what others keep locked, in milliseconds. */
const lockMs = 5_000;
/** How long a statement of a write may take, in milliseconds. */
const statementMs = 60_000;

const limits = { statementMs, lockMs };
const settings = `${setValueSettings}; ${ownSettings(limits)}`;
/** Each write has its savepoint; the first one's comes with the beginning. */
const savepoint = "SAVEPOINT rocket_write";
/** The statements that begin a group's transaction. */
export const beginGroup: readonly string[] = [beginWriting, openingSql(allSettings(limits)), savepoint];

/** A write that shares a transaction with others. */
export interface Write {
  readonly viewer: Viewer;
  readonly run: (transaction: Transaction) => Steps<unknown>;
}

/** What became of a write in its transaction. */
export type Outcome =
  | { readonly result: unknown; readonly transaction: PostgresTransaction }
  | { readonly error: unknown }
  /** Nothing was done: it must have a transaction of its own. */
  | { readonly mustBeAlone: true };

/** The how-manieth time it is. */
export interface Attempt {
  readonly isFirst: boolean;
  readonly isLast: boolean;
  /** Whether positions are given once it is committed. Default false */
  readonly isApart?: boolean;
  /** Whether each write waits for the end of the one before. Default false */
  readonly isOneByOne?: boolean;
}

/** What a transaction's schema has to be. */
interface Asked {
  readonly writes: readonly Write[];
  /** As it was known to the connection's own role when the transaction was begun. */
  readonly known: Known | undefined;
  readonly attempt: Attempt;
}

/** How a write is run. */
interface Run extends WriteOptions {
  /** What its viewer may read. */
  readonly schema: PostgresSchema;
  readonly isLast: boolean;
  /** The constraints that wait for the end of the transaction, as SQL has their names. */
  readonly deferred: string;
}

/** A write whose first statements were given. */
interface Started {
  readonly write: Write;
  readonly run: Run;
  readonly acting: ViewerSession;
  readonly transaction: PostgresTransaction;
  readonly running: Promise<unknown>;
  /** Whether the savepoint of the one before was released: false where one of its statements failed. */
  readonly isReleased: Promise<boolean>;
}

/** How many writes are asked at once, at most, and how many characters of values they may have but for the last one. */
const [maxAtOnce, maxLength] = [100, 1024 * 1024];

/** Thrown where a group was begun with a schema that is not so any more. */
export class Outdated extends Error {}

/** Thrown where one of several writes that were asked at once has to be undone by itself. */
export class Entangled extends Error {}

/** The constraints that wait for the end of a transaction, as SQL has their names. */
const deferredSql = `SELECT coalesce(string_agg(DISTINCT format('%I.%I', n.nspname, c.conname), ', '), '')
  FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
  WHERE c.condeferred AND has_schema_privilege(n.oid, 'USAGE')`;

/** Goes with the next statement, in one message: where it fails, that does, too. Gives whether it did not. */
function renewSavepoint(session: Session): Promise<boolean> {
  const [releasing] = ["RELEASE rocket_write", savepoint].map((sql) =>
    session.query(sql, [], "keep").then(
      () => true,
      () => false,
    ),
  );
  return releasing ?? Promise.resolve(false);
}

/** Begins a write at once: what it asks first goes with what is asked before it. */
async function runWrite({ run }: Write, transaction: PostgresTransaction): Promise<unknown> {
  return runSteps(run(transaction));
}

/** Whether a write that was started has asked all that it asks in this transaction. */
function isThrough({ transaction, acting }: Started): boolean {
  return transaction.hasAskedAll || (transaction.mustBeAlone && !acting.hasAsked);
}

/** The roles of some writes, each once. */
export function rolesOf(writes: readonly Write[]): Set<Role> {
  return new Set(writes.map(({ viewer }) => viewer.role));
}

/** What groups stand on. */
export interface GroupOptions {
  readonly pool: Pool;
  readonly source: SchemaSource;
  readonly finder: SourceFinder;
  readonly clock: Clock;
}

/** Carries out the writes of one transaction, each in a savepoint, in their order: one that fails takes no other with it. */
export class Group {
  readonly #options: GroupOptions;

  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /**
   * Carries them out as if the schema were the one that is known: what the first one asks first goes with the question whether
   * it is. Gives what became of each.
   *
   * @throws Outdated; Entangled; what loses the whole transaction
   */
  async run(
    session: TransactionSession,
    begun: Promise<readonly Row[]>,
    writes: readonly Write[],
    attempt: Attempt,
  ): Promise<Outcome[]> {
    const { source, clock } = this.#options;
    // Others may learn something newer meanwhile: what the first one is given now is what has to be so.
    const known = source.knownOf(undefined);
    const opened = new OpenedSession(session, this.#requireSchema(session, begun, { writes, known, attempt }));
    const hasRoles = writes.some(({ viewer }) => viewer.role !== undefined);
    // Then it is asked as the connection's own role.
    if (hasRoles) await opened.known;
    const [row] = hasRoles ? await session.query(deferredSql) : [];
    const deferred = row?.[0] ?? "";
    const runOf = ({ viewer: { role } }: Write): Run => ({
      schema: (role === undefined ? known?.schema : source.schemaFor(role)) ?? source.schema,
      now: clock.wallTime(),
      isAlone: writes.length === 1,
      isLast: attempt.isLast,
      deferred,
    });
    const outcomes: Outcome[] = [];
    while (outcomes.length < writes.length) {
      const former = outcomes.at(-1);
      // One that failed was rolled back to its savepoint, which is the next one's.
      if (former && "result" in former) renewSavepoint(session);
      const atOnce = attempt.isOneByOne ? 1 : maxAtOnce;
      const started = this.#startSome(opened, writes.slice(outcomes.length, outcomes.length + atOnce), runOf);
      outcomes.push(...(await this.#endSome(opened, started)));
    }
    return outcomes;
  }

  /** Starts a write, and the next ones as long as those before have asked all that they ask: one message has all of it. */
  #startSome(session: OpenedSession, writes: readonly Write[], runOf: (write: Write) => Run): Started[] {
    const started: Started[] = [];
    let length = 0;
    for (const write of writes) {
      const former = started.at(-1);
      length += former?.transaction.writtenLength ?? 0;
      if (former && (!isThrough(former) || length > maxLength)) break;
      former?.acting.seal();
      const isReleased = former ? renewSavepoint(session) : Promise.resolve(true);
      started.push({ ...this.#start(session, write, runOf(write)), isReleased });
    }
    return started;
  }

  /**
   * Waits for writes that were started; gives the outcomes of the first ones, up to one that failed.
   *
   * @throws Entangled where one failed after its statements, and so can't be undone without those behind it
   */
  async #endSome(session: OpenedSession, started: readonly Started[]): Promise<Outcome[]> {
    // Nothing goes on while something is undone.
    const ends = await Promise.allSettled(started.map(({ running }) => running));
    const outcomes: Outcome[] = [];
    for (const [at, one] of started.entries()) {
      const [end, next] = [ends[at], started[at + 1]];
      if (!next || !end) outcomes.push(await this.#end(session, one));
      else if (end.status === "fulfilled") outcomes.push({ result: end.value, transaction: one.transaction });
      else if (end.reason instanceof MustBeAlone) outcomes.push({ mustBeAlone: true });
      else {
        await session.known;
        if (isConflict(end.reason) || isAway(end.reason)) throw end.reason;
        if (await next.isReleased) throw new Entangled();
        // By itself, it finds out what is wrong with it. Those behind it were not carried out.
        await session.script("ROLLBACK TO rocket_write");
        outcomes.push(await this.#end(session, this.#start(session, one.write, one.run)));
        break;
      }
    }
    await session.known;
    return outcomes;
  }

  /** @throws Outdated where it is another one than is known */
  async #requireSchema(session: TransactionSession, begun: Promise<readonly Row[]>, asked: Asked): Promise<Place> {
    const { writes, known, attempt } = asked;
    const { source } = this.#options;
    const { schemaChanges, isSchemaPending } = openingOf(await begun);
    // Later on it has a position. What else has none is waited for by nobody: where others write, there is always something.
    if (attempt.isFirst && isSchemaPending) throw new Outdated();
    const roles = rolesOf(writes);
    const isKnown = !roles.has(undefined) || (known !== undefined && source.isOf(known, schemaChanges));
    if (!isKnown || !(await source.isCurrent(session, roles, schemaChanges))) throw new Outdated();
    return { bookmark: undefined, ahead: undefined };
  }

  #start(session: OpenedSession, write: Write, run: Run): Omit<Started, "isReleased"> {
    const { viewer } = write;
    const { source, finder } = this.#options;
    const state: SnapshotState = {
      viewer,
      schema: run.schema,
      bookmark: undefined,
      unwatched: source.unwatched,
      finder,
    };
    const acting = new ViewerSession(session, viewer);
    const transaction = new PostgresTransaction(acting, state, run);
    const running = runWrite(write, transaction);
    running.catch(() => undefined);
    return { write, run, acting, transaction, running };
  }

  async #end(session: OpenedSession, started: Omit<Started, "isReleased">): Promise<Outcome> {
    const { write, run, acting, transaction, running } = started;
    try {
      const result = await running;
      await session.known;
      await transaction.finish(run.deferred);
      await acting.leave(settings);
      return { result, transaction };
    } catch (error) {
      // What another schema made of it is nobody's concern.
      await session.known;
      if (isConflict(error) || isAway(error)) throw error;
      // The viewer's role and claims are rolled back, too: they were taken on behind the savepoint.
      await session.script("ROLLBACK TO rocket_write");
      if (error instanceof MustBeAlone) return { mustBeAlone: true };
      if (error instanceof MustRead)
        return this.#end(session, this.#start(session, write, { ...run, readsFirst: true }));
      if (isOutdated(error) && !run.isLast) {
        await this.#requireAnswers(session);
        this.#options.source.doubt();
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
}
