import type { Batch, Bookmark } from "../../../server/index.ts";
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

/**
 * What an answer showed ahead of its bookmark. Snapshots of one server are nested, so all of it is in the journal as soon as
 * a tick began after the answer was read: then this is over.
 */
export class ShownAhead {
  readonly #pending: ReadonlySet<string>;
  #end: number | undefined;
  #isOver: boolean;

  constructor({ pending }: Opening) {
    this.#pending = pending;
    this.#isOver = pending.size === 0;
  }

  /** Whether all that comes now is news, and positions can be resumed from. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** All that the answer showed has a position up to there: where the journal's head is after a `poll`. */
  endAt(position: number): void {
    this.#end = position;
  }

  /** What is news in the next batch or page. */
  leaveOut<Part extends Batch>(part: Part): Part {
    if (this.#isOver) return part;
    if (this.#end !== undefined && part.position >= this.#end) this.#isOver = true;
    const isNews = (change: unknown): boolean =>
      !(change instanceof PostgresChange && change.group !== undefined && this.#pending.has(change.group));
    return { ...part, changes: part.changes.filter(isNews) };
  }
}
