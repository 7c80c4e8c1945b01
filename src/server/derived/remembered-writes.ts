import { isRelatedPath } from "./paths.ts";

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

  /** The writes that concern the target, each with all its URLs. */
  related(): (readonly string[])[] {
    return this.#written.filter((urls) => urls.some((url) => isRelatedPath(url, this.target)));
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
