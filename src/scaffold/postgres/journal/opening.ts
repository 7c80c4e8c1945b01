import type { Ahead, Bookmark, Change } from "../../../server/index.ts";
import type { Row, Session } from "../driver.ts";
import { PostgresChange } from "./change.ts";
import { bookmarkOf } from "./head.ts";

/** Where a GET's transaction stands. */
export interface Opening extends Bookmark {
  /**
   * The transactions that the answer shows and that have no position yet. They come after the bookmark: who follows the
   * answer must not be told them, and who resumes at the bookmark would be. Empty as a rule.
   */
  readonly pending: ReadonlySet<string>;
  /** The count of the schema's changes. */
  readonly schemaChanges: string;
  /** Whether there is a further change of the schema, which has no position yet. */
  readonly isSchemaPending: boolean;
}

/** Asks where a transaction stands. @param columns - what else is selected, behind what says that */
export function openingSql(...columns: readonly string[]): string {
  const all = ["segment, position, chk, array_to_json(pending), schema_changes, is_schema_pending", ...columns];
  return `SELECT ${all.join(", ")} FROM rocket.stand()`;
}

const none: ReadonlySet<string> = new Set();

/** What the answer to {@link openingSql} says. */
export function openingOf([row = []]: readonly Row[]): Opening {
  const [segment, position, check, pending, schemaChanges, isSchemaPending] = row;
  const mark = { segment: segment ?? "", position: Number(position), check: Number(check) };
  return {
    ...bookmarkOf(mark),
    pending: pending == null || pending === "[]" ? none : new Set((JSON.parse(pending) as unknown[]).map(String)),
    schemaChanges: schemaChanges ?? "",
    isSchemaPending: isSchemaPending === "t",
  };
}

/** Where a session's REPEATABLE READ transaction stands: of exactly what else is read in it. */
export async function readOpening(session: Session): Promise<Opening> {
  return openingOf(await session.query(openingSql()));
}

/** What an answer shows ahead of its bookmark: all of some transactions. */
export class ShownAhead implements Ahead {
  readonly #pending: ReadonlySet<string>;

  constructor({ pending }: Opening) {
    this.#pending = pending;
  }

  shows(change: Change): boolean {
    return change instanceof PostgresChange && change.group !== undefined && this.#pending.has(change.group);
  }
}
