import type { Clock } from "../../../server/index.ts";
import type { Target } from "../../rest/target.ts";

/** For how long a shape is known to be long; then it is tried anew. */
const rememberedMs = 60_000;
/** How long a read takes that is called slow. */
const slowMs = 100;
/** What part of the main thread's limit is certainly short. */
const shortShare = 4;
const maxShapes = 1_000;

const operator = /^(?:not\.)?(?:n?eq|[gl]te?|i?like|in|is|isdistinct|(?:pl|ph)?fts)(?:\([a-z_]+\))?\./;

/** The columns and their operators, as they stand in a group. */
function costsInGroup(value: string): string[] {
  return value.split(/[,()"]/).flatMap((part) => {
    const column = part.slice(0, Math.max(part.indexOf("."), 0));
    const found = column === "" ? undefined : operator.exec(part.slice(column.length + 1))?.[0];
    return found === undefined ? [] : [`${column}.${found}`];
  });
}

/** What of a filter's parameter tells how much it costs: the operators, not the values. */
function costOf(name: string, value: string): string[] {
  return /^(?:not\.)?(?:and|or)$/.test(name) ? [name, ...costsInGroup(value)] : [name, operator.exec(value)?.[0] ?? ""];
}

/** Parameters that say how far a read goes. */
const lengths: ReadonlySet<string> = new Set(["offset", "limit", "page", "per_page", "after"]);

/** What a URL has in common with others that cost as much: all but the values of its filters. @param isCounted - whether all is counted, too */
export function shapeOf(method: string, { segments, parameters }: Target, isCounted = false): string {
  const [collection = "", ...below] = segments.length > 2 ? [segments.slice(0, -1).join("/"), ""] : segments;
  const parts = parameters.map(([name, value]) => {
    if (name === "order" || name === "select") return [name, value];
    // How far, not where exactly.
    return lengths.has(name) ? [name, value.length] : costOf(name, value);
  });
  return JSON.stringify([method, isCounted, collection, below.length, ...parts]);
}

interface Known {
  readonly until: number;
  isSlow: boolean;
}

/** The shapes of reads that took too long for the main thread, lately. */
export class LongShapes {
  readonly #clock: Pick<Clock, "now">;
  readonly #shortMs: number;
  readonly #known: Map<string, Known> = new Map();
  /** Those that took too long the last time, and not before: the process may have had to wait for something else. */
  readonly #suspects: Set<string> = new Set();

  /** @param mainLimitMs - how long a read may hold up the main thread */
  constructor(clock: Pick<Clock, "now">, mainLimitMs: number) {
    this.#clock = clock;
    this.#shortMs = mainLimitMs / shortShare;
  }

  /** Notes one that took too long. It counts once the next of its like did so, too. */
  add(shape: string): void {
    if (this.#shortMs > 0 && !this.#suspects.delete(shape)) {
      if (this.#suspects.size >= maxShapes) this.#suspects.clear();
      this.#suspects.add(shape);
      return;
    }
    this.#known.delete(shape);
    this.#known.set(shape, { until: this.#clock.now() + rememberedMs, isSlow: false });
    const [oldest] = this.#known.keys();
    if (this.#known.size > maxShapes && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Notes one that did not take too long. */
  clear(shape: string): void {
    if (this.#suspects.size > 0) this.#suspects.delete(shape);
  }

  /** Whether it is one of them. */
  has(shape: string): boolean {
    const known = this.#known.get(shape);
    return known !== undefined && this.#clock.now() < known.until;
  }

  /** Notes how long it took in a thread. One that was short there was held up by something else. */
  note(shape: string, ms: number): void {
    const known = this.#known.get(shape);
    if (known) known.isSlow = ms >= slowMs;
    if (ms < this.#shortMs) this.#known.delete(shape);
  }

  /** Whether it is one that was slow in a thread, too. */
  isSlow(shape: string): boolean {
    return this.#known.get(shape)?.isSlow === true;
  }
}
