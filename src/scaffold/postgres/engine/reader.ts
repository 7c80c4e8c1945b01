import { BrokenRule } from "../../engine/broken-rule.ts";
import type { Steps } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Pool, Row, Session } from "../driver.ts";
import { openingOf, openingSql, ShownAhead } from "../journal/opening.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { ownSettings, readingSession } from "../own-transaction.ts";
import { setValueSettings } from "../value-settings.ts";
import { isOutdated } from "./failure.ts";
import { inOwnWords } from "./rule.ts";
import { runSteps } from "./run-steps.ts";
import type { SchemaSource } from "./schema-source.ts";
import { EmptiedMeanwhile, PostgresSnapshot } from "./snapshot.ts";
import { type SourceFinder, Untouched } from "./source-finder.ts";
import { ViewerSession } from "./viewer-session.ts";
import { commitFor } from "./viewer-settings.ts";

/** How often a read begins anew: what it would see has no position yet, another schema than is known, or was emptied meanwhile. */
const maxAttempts = 10;
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
  /** How long a statement may take, in milliseconds. */
  readonly limitMs: number;
}

/** Reads in transactions of one snapshot each, at a known position and a known schema. */
export class Reader {
  readonly #options: ReaderOptions;
  readonly #begin: string;
  #isClosed = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
    const limits = ownSettings({ statementMs: options.limitMs, lockMs: 0 });
    const opening = options.journal ? `; ${openingSql}` : "";
    this.#begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${setValueSettings}; ${limits}${opening}`;
  }

  /**
   * Carries steps out in one transaction, as a viewer.
   *
   * @throws what they throw; Denied; Refusal 401 or RoleFailure where the role can't be taken on; Refusal 503 where the schema changes faster than it can be read, or after `close`
   */
  async read<Result>(steps: (snapshot: PostgresSnapshot) => Steps<Result>, viewer: Viewer): Promise<Result> {
    const { pool, source, journal } = this.#options;
    const end = commitFor([viewer.role]);
    let failed: { readonly error: unknown } | undefined;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (this.#isClosed) throw unavailable("The service is stopping.");
      const outcome = await pool
        .transaction(
          this.#begin,
          (session, begun) => this.#attempt(session, begun, steps, { viewer, isLate: attempt >= patience }),
          end,
        )
        .catch(async (error: unknown) => {
          if (error instanceof BrokenRule) throw await inOwnWords(readingSession(pool), error);
          if (error instanceof EmptiedMeanwhile) return undefined;
          if (error instanceof Untouched) {
            await journal?.touch(error.tables);
            return undefined;
          }
          if (attempt > 0 || !isOutdated(error)) throw error;
          source.doubt();
          return undefined;
        });
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

  /** `undefined` where what it would see has no position, or another schema. */
  async #attempt<Result>(
    session: Session,
    begun: readonly Row[],
    steps: (snapshot: PostgresSnapshot) => Steps<Result>,
    { viewer, isLate }: { readonly viewer: Viewer; readonly isLate: boolean },
  ): Promise<{ readonly result: Result } | undefined> {
    const { source, journal, finder } = this.#options;
    const opening = journal && openingOf(begun);
    const isAhead = opening !== undefined && opening.pending.size > 0;
    if (isAhead && !isLate) return undefined;
    if (!(await source.isCurrent(session, [viewer.role], opening?.schemaChanges))) return undefined;
    const bookmark = opening && { position: opening.position, eventId: opening.eventId };
    const ahead = isAhead ? new ShownAhead(opening) : undefined;
    const schema = source.schemaFor(viewer.role) ?? source.schema;
    const state = { viewer, schema, bookmark, ahead, unwatched: source.unwatched, finder };
    const snapshot = new PostgresSnapshot(new ViewerSession(session, viewer), state);
    return { result: await runSteps(steps(snapshot)) };
  }
}
