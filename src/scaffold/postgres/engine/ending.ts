import type { TransactionSession } from "../driver.ts";
import type { PostgresJournal, Ticking } from "../journal/options.ts";
import { markOwnAnswers } from "./answers.ts";
import { isAway, isConflict } from "./failure.ts";
import type { Attempt, Outcome } from "./group.ts";
import type { Role } from "./schema-source.ts";
import { commitFor } from "./viewer-settings.ts";

/** Thrown where a transaction's own tick failed: it may be no trouble of the writes. */
export class TickFailed extends Error {}

function asTickFailed(cause: unknown): never {
  throw isConflict(cause) || isAway(cause) ? cause : new TickFailed(undefined, { cause });
}

/** A transaction that is committed. */
export interface Ended {
  /** What gave its positions; absent where that is to be done apart. */
  readonly ticking: Ticking | undefined;
  /** What the answers that were kept say of where the journal stands. */
  readonly marks: readonly string[];
}

/** The first of some errors, in the order of what failed. */
async function allInOrder(running: readonly Promise<unknown>[]): Promise<void> {
  for (const one of running) one.catch(() => undefined);
  for (const one of running) await one;
}

/** The numbers of the answers that were kept. */
export function keptOf(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap((outcome) => ("transaction" in outcome ? outcome.transaction.kept : []));
}

/** How a group's transaction ends: it gives itself its positions in the message that commits it, unless that is to be done apart. */
export class Ending {
  readonly #journal: PostgresJournal;
  readonly #roles: ReadonlySet<Role>;
  readonly #isApart: boolean;
  #kept: readonly string[] = [];
  #isEmpty = false;
  #ticking: Ticking | undefined;
  #marking: Promise<string[]> | undefined;

  constructor(journal: PostgresJournal, roles: ReadonlySet<Role>, { isApart = false }: Pick<Attempt, "isApart">) {
    this.#journal = journal;
    this.#roles = roles;
    this.#isApart = isApart;
  }

  /** What became of its writes. */
  note(outcomes: readonly Outcome[]): void {
    this.#kept = keptOf(outcomes);
    this.#isEmpty = outcomes.every((outcome) => "mustBeAlone" in outcome);
  }

  /** @throws TickFailed; what the database says against it */
  async commit(session: TransactionSession): Promise<unknown> {
    if (this.#isEmpty) return session.script("ROLLBACK");
    const commit = (): Promise<unknown>[] => commitFor(this.#roles).map((sql) => session.query(sql, [], "keep"));
    if (this.#isApart) return allInOrder(commit());
    // What waits for the end may wait for others: not while they wait for the journal.
    const checking = session.query("SET CONSTRAINTS ALL IMMEDIATE", [], "keep");
    this.#ticking = this.#journal.tickIn(session);
    const telling: Promise<unknown>[] = [this.#ticking.asked];
    if (this.#kept.length > 0) {
      this.#marking = markOwnAnswers(session, this.#kept);
      telling.push(this.#marking);
    }
    return allInOrder([checking, ...telling.map((one) => one.catch(asTickFailed)), ...commit()]);
  }

  /** It was not committed. */
  lose(): void {
    this.#ticking?.end();
  }

  /** It is committed; `undefined` where nothing was. */
  async ended(): Promise<Ended | undefined> {
    return this.#isEmpty ? undefined : { ticking: this.#ticking, marks: (await this.#marking) ?? [] };
  }
}
