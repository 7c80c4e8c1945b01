import type { Steps } from "../../engine/steps.ts";
import { unavailable } from "../../rest/refusal.ts";
import type { Pool, Session } from "../driver.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { setValueSettings } from "../value-settings.ts";
import { isOutdated } from "./failure.ts";
import { runSteps } from "./run-steps.ts";
import type { SchemaSource } from "./schema-source.ts";
import { PostgresSnapshot } from "./snapshot.ts";

/** How often a read begins anew: what it would see has no position yet, or another schema than is known. */
const maxAttempts = 10;
/** From then on it does without a position: others write without a pause. */
const patience = 5;

/** What a reader stands on. */
export interface ReaderOptions {
  readonly pool: Pool;
  readonly source: SchemaSource;
  readonly journal: PostgresJournal | undefined;
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
    const limit = `SET LOCAL statement_timeout = ${Math.ceil(options.limitMs)}`;
    this.#begin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${setValueSettings}; ${limit}`;
  }

  /**
   * Carries steps out in one transaction.
   *
   * @throws what they throw; Refusal 503 where the schema changes faster than it can be read, or after `close`
   */
  async read<Result>(steps: (snapshot: PostgresSnapshot) => Steps<Result>): Promise<Result> {
    const { pool, source } = this.#options;
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (this.#isClosed) throw unavailable("The service is stopping.");
      const outcome = await pool
        .transaction(this.#begin, (session) => this.#attempt(session, steps, attempt >= patience))
        .catch((error: unknown) => {
          if (attempt > 0 || !isOutdated(error)) throw error;
          source.doubt();
          return undefined;
        });
      if (outcome) return outcome.result;
      await source.refresh();
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
    steps: (snapshot: PostgresSnapshot) => Steps<Result>,
    isLate: boolean,
  ): Promise<{ readonly result: Result } | undefined> {
    const { source, journal } = this.#options;
    const opening = await journal?.standIn(session);
    const isAhead = opening !== undefined && opening.pending.size > 0;
    if (isAhead && !isLate) return undefined;
    if (!(await source.isCurrent(session))) return undefined;
    const bookmark = isAhead ? undefined : opening && { position: opening.position, eventId: opening.eventId };
    const { schema, unwatched } = source;
    const snapshot = new PostgresSnapshot(session, { schema, bookmark, unwatched });
    return { result: await runSteps(steps(snapshot)) };
  }
}
