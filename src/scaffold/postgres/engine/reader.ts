import type { Clock } from "../../../server/index.ts";
import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Steps } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Pool, ReadingSession, Row } from "../driver.ts";
import { openingOf, openingSql, ShownAhead } from "../journal/opening.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { allSettings, readingSession } from "../own-transaction.ts";
import { isOutdated } from "./failure.ts";
import { LastAsked, OneRead } from "./last-asked.ts";
import { NotOpened, OpenedSession, type Place } from "./opened-session.ts";
import { inOwnWords } from "./rule.ts";
import { runSteps } from "./run-steps.ts";
import type { Known, SchemaSource } from "./schema-source.ts";
import { type Read, readAlone, SharedReads } from "./shared-reads.ts";
import { EmptiedMeanwhile, PostgresSnapshot, type SnapshotState } from "./snapshot.ts";
import { type SourceFinder, Untouched } from "./source-finder.ts";
import { ViewerSession } from "./viewer-session.ts";

/** How often a read begins anew: what it would see has no position yet, another schema than is known, or was emptied meanwhile. */
const maxAttempts = 10;
/** How often it begins anew where what it asks for is not there: then it is not for a change of the schema. */
const outdatedAttempts = 3;
/**
 * From then on it is content with what has no position yet: others write without a pause. Before, it is worth its while: a
 * position that the answer stands at can be gone on from at once.
 */
const patience = 2;

/** What a reader stands on. */
export interface ReaderOptions {
  readonly pool: Pool;
  readonly source: SchemaSource;
  readonly journal: PostgresJournal | undefined;
  readonly finder: SourceFinder;
  readonly clock: Clock;
  /** How long a statement may take, in milliseconds. */
  readonly limitMs: number;
}

/** Who asks, and whether what has no position yet is to be taken as it is. */
interface Asked {
  readonly viewer: Viewer;
  readonly isLate: boolean;
}

/** Thrown where what a transaction sees has no position, or another schema than is known. */
class Elsewhere extends Error {}

/** Reads in transactions of one snapshot each, at a known position and a known schema. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #begin: readonly string[];
  readonly #shared: SharedReads;
  readonly #lastAsked: LastAsked = new LastAsked();
  #isClosed = false;

  constructor(options: ReaderOptions) {
    const { pool, journal, clock, limitMs } = options;
    this.#options = options;
    const settings = allSettings({ statementMs: limitMs, lockMs: 0 });
    const opening = journal ? openingSql(settings) : `SELECT ${settings}`;
    this.#begin = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", opening];
    this.#shared = new SharedReads({ pool, clock, begin: this.#begin });
  }

  /**
   * Carries steps out in one transaction, as a viewer.
   *
   * @throws what they throw; Denied; Refusal 401 or RoleFailure where the role can't be taken on; Refusal 503 where the schema changes faster than it can be read, or after `close`
   */
  async read<Result>(steps: (snapshot: PostgresSnapshot) => Steps<Result>, viewer: Viewer): Promise<Result> {
    const { source, journal } = this.#options;
    let failed: { readonly error: unknown } | undefined;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (this.#isClosed) throw unavailable("The service is stopping.");
      const asked = { viewer, isLate: attempt >= patience };
      const outcome = await this.#run(viewer, (...given) => this.#attempt(given, steps, asked)).catch(
        async (error: unknown) => {
          if (error instanceof BrokenRule) throw await inOwnWords(readingSession(this.#options.pool), error);
          if (error instanceof Elsewhere || error instanceof EmptiedMeanwhile) return undefined;
          if (error instanceof Untouched) {
            await journal?.touch(error.tables);
            return undefined;
          }
          if (attempt >= outdatedAttempts || !isOutdated(error)) throw error;
          source.doubt();
          return undefined;
        },
      );
      if (outcome) return outcome.result;
      if (failed) throw failed.error;
      failed = await source.refresh(viewer.role).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      // The journal stands still, as at a standby: what is there can be read all the same.
      if (failed) attempt = Math.max(attempt, patience - 1);
    }
    throw unavailable("The database's schema is being changed.");
  }

  /** Takes no more reads. */
  close(): void {
    this.#isClosed = true;
  }

  /** A role's functions may set what the next one finds: it shares with nobody. */
  #run<Outcome>({ role }: Viewer, read: Read<Outcome>): Promise<Outcome> {
    if (role === undefined) return this.#shared.run(read);
    // What they have set for the whole session goes with it.
    return readAlone({ pool: this.#options.pool, begin: this.#begin, end: "ROLLBACK" }, read);
  }

  /**
   * Carries steps out as if the transaction were of the schema that is known: what they ask first goes with the question
   * where it stands, and nothing is given to them before that is answered.
   *
   * @throws Elsewhere where what it would see has no position, or another schema
   */
  async #attempt<Result>(
    [session, begun, isShared]: Parameters<Read<unknown>>,
    steps: (snapshot: PostgresSnapshot) => Steps<Result>,
    { viewer, isLate }: Asked,
  ): Promise<{ readonly result: Result }> {
    const { source, finder } = this.#options;
    // Others may learn something newer meanwhile: what the steps are given now is what has to be so.
    const known = source.knownOf(viewer.role);
    if (!known) throw new Elsewhere();
    const one = new OneRead(session, this.#lastAsked, begun);
    const opened = new OpenedSession(one, this.#open(session, begun, { viewer, isLate, known }));
    const state: SnapshotState = {
      ...{ viewer, schema: known.schema, finder, isShared, isFixed: true },
      get bookmark() {
        return opened.place.bookmark;
      },
      get ahead() {
        return opened.place.ahead;
      },
      get unwatched() {
        return source.unwatched;
      },
    };
    const run = (): Promise<Result> => runSteps(steps(new PostgresSnapshot(new ViewerSession(opened, viewer), state)));
    try {
      const result = await run().catch(async (error: unknown) => {
        if (!(error instanceof NotOpened)) throw error;
        await opened.known;
        return run();
      });
      await opened.known;
      one.leave();
      return { result };
    } catch (error) {
      one.leave(error);
      // What another schema made of it is nobody's concern.
      await opened.known;
      throw error;
    }
  }

  /** @throws Elsewhere */
  async #open(
    session: ReadingSession,
    begun: Promise<readonly Row[]>,
    { viewer, isLate, known }: Asked & { readonly known: Known },
  ): Promise<Place> {
    const { source, journal } = this.#options;
    const version = viewer.role === undefined ? undefined : source.versionIn(session, viewer.role);
    version?.catch(() => undefined);
    const rows = await begun;
    const opening = journal && openingOf(rows);
    const isAhead = opening !== undefined && opening.pending.size > 0;
    if (isAhead && !isLate) throw new Elsewhere();
    if (!source.isOf(known, (await version) ?? opening?.schemaChanges)) throw new Elsewhere();
    return {
      bookmark: opening && { position: opening.position, eventId: opening.eventId },
      ahead: isAhead ? new ShownAhead(opening) : undefined,
    };
  }
}
