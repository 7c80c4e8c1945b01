import type { Ahead, Bookmark, Change } from "../../../server/index.ts";
import type { Session } from "../driver.ts";
import { PostgresChange } from "./change.ts";
import { bookmarkOf } from "./head.ts";

/** Where a GET's transaction stands. */
export interface Opening extends Bookmark {
  /**
   * The transactions that the answer shows and that have no position yet. They come after the bookmark: who follows the
   * answer must not be told them, and who resumes at the bookmark would be. Empty as a rule.
   */
  readonly pending: ReadonlySet<string>;
}

/** Where a session's REPEATABLE READ transaction stands: of exactly what else is read in it. */
export async function readOpening(session: Session): Promise<Opening> {
  const [row] = await session.query("SELECT segment, position, chk, array_to_json(pending) FROM rocket.stand()");
  const [segment, position, check, pending] = row ?? [];
  const mark = { segment: segment ?? "", position: Number(position), check: Number(check) };
  return { ...bookmarkOf(mark), pending: new Set((JSON.parse(pending ?? "[]") as unknown[]).map(String)) };
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
