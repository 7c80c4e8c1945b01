import type { Change, Journal, Page } from "../ports/journal.ts";
import { Renewal } from "./net-changes.ts";

/** How many changes are read from the journal at once. */
const pageChanges = 1_000;

/**
 * What the journal has for one collection after a position, page by page. A record that is deleted and created again is
 * one change, as in a batch that comes live [R-SUB-5]; also where a page ends in between, up to a page later.
 */
export class History {
  readonly #journal: Journal;
  readonly #collection: string;
  /** Deletes that are told with the creates that follow them, by the creates' positions. */
  readonly #renewed: Map<number, Change> = new Map();
  /** The page that comes next, where it was looked at already. */
  #ahead: Page | undefined;
  #page: Page | undefined;

  constructor(journal: Journal, collection: string) {
    this.#journal = journal;
    this.#collection = collection;
  }

  /** The page at hand, where it has something after `cursor`. */
  pageAt(cursor: number): Page | undefined {
    const page = this.#page;
    return page && page.after <= cursor && page.position > cursor ? page : undefined;
  }

  /** Whether a delete up to there was left out, whose create comes after: no mark may stand in between. */
  owesAt(cursor: number): boolean {
    for (const [created, deleted] of this.#renewed) if (created > cursor && deleted.position <= cursor) return true;
    return false;
  }

  /** Gives up what is in memory but for what was left out: it can be read again. */
  release(): void {
    this.#page = undefined;
    this.#ahead = undefined;
  }

  /**
   * Reads the page that follows a position; `undefined` where the journal does not reach back to it.
   *
   * @param from - where it begins
   * @param cursor - up to where all was told
   * @param goal - up to where it will be read at least: what lies beyond may come live, where no delete is told with a create
   */
  async read(from: number, cursor: number, goal: number): Promise<Page | undefined> {
    const page = this.#ahead?.after === from ? this.#ahead : await this.#journal.read(from, pageChanges);
    this.release();
    if (!page) return undefined;
    for (const position of this.#renewed.keys()) if (position <= cursor) this.#renewed.delete(position);
    const open = new Map<string, Change>();
    this.#pair(page, open, goal);
    if (page.more && open.size > 0) {
      this.#ahead = await this.#journal.read(page.position, pageChanges);
      if (this.#ahead) this.#pair(this.#ahead, open, goal);
    }
    this.#page = this.#net(page);
    return this.#page;
  }

  /** Finds the creates that follow deletes of the same records. @param open - deletes that none has followed yet */
  #pair({ changes }: Page, open: Map<string, Change>, goal: number): void {
    for (const change of changes) {
      if (change.collection !== this.#collection) continue;
      if (change.kind === "delete") open.set(change.url, change);
      const deleted = change.kind === "create" && change.position <= goal ? open.get(change.url) : undefined;
      if (!deleted) continue;
      open.delete(change.url);
      this.#renewed.set(change.position, deleted);
    }
  }

  #net(page: Page): Page {
    if (this.#renewed.size === 0) return page;
    const leftOut = new Set([...this.#renewed.values()].map(({ position }) => position));
    const changes = page.changes
      .filter(({ position }) => !leftOut.has(position))
      .map((change) => {
        const deleted = this.#renewed.get(change.position);
        return deleted ? new Renewal(deleted, change) : change;
      });
    return { ...page, changes };
  }
}
