import type { Reads } from "../ports/origin.ts";
import type { Moments } from "./moments.ts";
import { isRelatedPath } from "./paths.ts";

/** Where nothing is known but the target. */
const unknownReads: Reads = { collections: [], isComplete: true };

/** What was written since an opening was begun. */
export class WritesSince {
  readonly target: string;
  readonly #moments: Moments;
  readonly #written: (readonly string[])[] = [];
  #askedAt: number;

  constructor(target: string, moments: Moments) {
    this.target = target;
    this.#moments = moments;
    this.#askedAt = moments.next();
  }

  /** The moment at which the origin was asked last. */
  get askedAt(): number {
    return this.#askedAt;
  }

  /** Says that the origin is asked now. */
  ask(): void {
    this.#askedAt = this.#moments.next();
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
  readonly #moments: Moments;

  constructor(moments: Moments) {
    this.#moments = moments;
  }

  get isEmpty(): boolean {
    return this.#openings.size === 0;
  }

  begin(target: string): WritesSince {
    const writes = new WritesSince(target, this.#moments);
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
