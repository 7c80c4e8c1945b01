import { pathSegments } from "./paths.ts";

const lookAgainMs = [25, 100];

/** One write's URLs, as paths that can be compared. */
export type WrittenPaths = readonly string[];

function comparable(url: string): string {
  return `/${pathSegments(url).join("/")}/`;
}

/** Whether one path is the other's, above or below it. */
function areRelated(one: string, other: string): boolean {
  return one.startsWith(other) || other.startsWith(one);
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

  /** Has a look follow soon that shows whether what differed ever rests. */
  doubt(now: number): void {
    this.lookAgainAt = now + (lookAgainMs[0] ?? 0);
  }

  /**
   * The look found changes at these URLs. True where another look is due for writes that none of them shows: a change is
   * shown at its URL, below it (a POST that says no `Location`) or above it.
   */
  found(writes: readonly WrittenPaths[], urls: readonly string[], now: number): boolean {
    const paths = urls.map(comparable);
    const isShown = (write: string): boolean => paths.some((path) => areRelated(path, write));
    const missed = writes.filter((write) => !write.some(isShown));
    const waitMs = missed.length > 0 ? lookAgainMs[this.#looks] : undefined;
    if (waitMs === undefined) return false;
    this.#looks += 1;
    this.#writes.push(...missed);
    this.lookAgainAt = now + waitMs;
    return true;
  }
}
