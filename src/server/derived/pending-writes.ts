import { pathSegments } from "./staleness.ts";

const lookAgainMs = [25, 100];

/** One write's URLs, as paths that can be compared. */
export type WrittenPaths = readonly string[];

function comparable(url: string): string {
  return pathSegments(url).join("/");
}

/**
 * Writes that no difference has shown yet. Some origins answer a write first and commit it later: what was not found is
 * looked for twice more.
 */
export class PendingWrites {
  #writes: WrittenPaths[] = [];
  #looks = 0;
  /** When to look for them again. */
  lookAgainAt: number | undefined;

  add(urls: readonly string[]): void {
    this.#looks = 0;
    if (urls.length > 0) this.#writes.push(urls.map(comparable));
  }

  /** Gives those that a look is to find. */
  take(): readonly WrittenPaths[] {
    const writes = this.#writes;
    this.#writes = [];
    this.lookAgainAt = undefined;
    return writes;
  }

  /** The look came to nothing. */
  putBack(writes: readonly WrittenPaths[]): void {
    this.#writes.unshift(...writes);
  }

  /** The look found these. True where another look is due for the others. */
  found(writes: readonly WrittenPaths[], urls: readonly string[], now: number): boolean {
    const paths = new Set(urls.map(comparable));
    const missed = writes.filter((write) => !write.some((path) => paths.has(path)));
    const waitMs = missed.length > 0 ? lookAgainMs[this.#looks] : undefined;
    if (waitMs === undefined) return false;
    this.#looks += 1;
    this.#writes.push(...missed);
    this.lookAgainAt = now + waitMs;
    return true;
  }
}
