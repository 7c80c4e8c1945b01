import type { CollectionSight } from "../hub-state.ts";
import type { Batch } from "../ports/journal.ts";

/** How many collections are counted. */
const maxCounted = 10_000;

/** Counts the changes of each collection, as operators see them. */
export class ChangeCounts {
  readonly #counts: Map<string, { created: number; updated: number; deleted: number; resets: number }> = new Map();

  /** Counts what is in a batch. */
  add({ changes }: Pick<Batch, "changes">): void {
    for (const { collection, kind } of changes) {
      let counts = this.#counts.get(collection);
      if (!counts) {
        if (this.#counts.size >= maxCounted) continue;
        counts = { created: 0, updated: 0, deleted: 0, resets: 0 };
        this.#counts.set(collection, counts);
      }
      if (kind === "create") counts.created += 1;
      else if (kind === "update") counts.updated += 1;
      else if (kind === "delete") counts.deleted += 1;
      else counts.resets += 1;
    }
  }

  /** The counts, by collection. */
  get sights(): CollectionSight[] {
    return [...this.#counts].map(([url, counts]) => ({ url, ...counts }));
  }
}
