import type { Change, Representation } from "../../server/index.ts";

/** Says that something may be other than before, without a place in the journal of its own. */
export class LocalReset implements Change {
  readonly kind = "reset";
  readonly url = "";
  readonly bytes = 0;
  readonly position: number;
  readonly collection: string;

  /** @param collection - of what; `/` of anything that is asked for again */
  constructor(position: number, collection: string) {
    this.position = position;
    this.collection = collection;
  }

  represent(): Representation {
    throw new TypeError("A reset has no record to show.");
  }
}
