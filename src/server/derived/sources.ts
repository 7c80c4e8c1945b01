import type { OriginResponse, Reads } from "../ports/origin.ts";

/** The least time between two looks at what may read anything, in milliseconds: any write may be none of its own. */
const anythingMs = 250;

function isSame(one: Reads | undefined, other: Reads): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The paths at which a write makes a view stale. */
export function pathsOf(url: string, reads: Reads | undefined): readonly string[] {
  if (!reads) return [url];
  return reads.isComplete ? [url, ...reads.collections] : ["/"];
}

/** What a view is read from, as its newest answer says. */
export class Sources {
  #reads: Reads | undefined;

  /** @param response - the answer that the view begins with */
  constructor({ reads }: OriginResponse) {
    this.#reads = reads;
  }

  /** `undefined` where the origin does not know. */
  get reads(): Reads | undefined {
    return this.#reads;
  }

  /** Takes in what an answer says; true where that is something else than before. */
  learn({ reads }: OriginResponse): boolean {
    if (!reads || isSame(this.#reads, reads)) return false;
    this.#reads = reads;
    return true;
  }

  /** The least time between two looks. @param coalesceMs - where it is known what the view reads */
  paceMs(coalesceMs: number): number {
    return this.#reads?.isComplete === false ? Math.max(coalesceMs, anythingMs) : coalesceMs;
  }
}
