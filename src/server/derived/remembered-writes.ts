import type { Reads } from "../ports/origin.ts";
import { isRelatedPath } from "./paths.ts";

/** Where nothing is known but the target. */
const unknownReads: Reads = { collections: [], isComplete: true };

/** What was written since an opening was begun. */
export class WritesSince {
  readonly target: string;
  /** When it was begun, by the clock. */
  readonly since: number;
  readonly #written: (readonly string[])[] = [];

  constructor(target: string, since: number) {
    this.target = target;
    this.since = since;
  }

  add(urls: readonly string[]): void {
    this.#written.push(urls);
  }

  /** The writes that concern the target or what its answer was read from, each with all its URLs. */
  related({ collections, isComplete }: Reads = unknownReads): (readonly string[])[] {
    if (!isComplete) return this.#written;
    const paths = [this.target, ...collections];
    return this.#written.filter((urls) => urls.some((url) => paths.some((path) => isRelatedPath(url, path))));
  }
}

/** Remembers writes for the openings that are under way: what each GET returns may be from before them [R-SUB-3]. */
export class RememberedWrites {
  readonly #openings: Set<WritesSince> = new Set();

  get isEmpty(): boolean {
    return this.#openings.size === 0;
  }

  begin(target: string, now: number): WritesSince {
    const writes = new WritesSince(target, now);
    this.#openings.add(writes);
    return writes;
  }

  note(urls: readonly string[]): void {
    for (const writes of this.#openings) writes.add(urls);
  }

  end(writes: WritesSince): void {
    this.#openings.delete(writes);
  }
}
