import type { Clock } from "../../server/index.ts";
import { Refusal } from "../rest/refusal.ts";

/** How many attempts there may be at once, and after how long there is one more. */
export interface Allowance {
  readonly most: number;
  readonly refillMs: number;
}

interface Bucket {
  left: number;
  at: number;
}

/** So many names are remembered at most; the one that was used longest ago is forgotten first. */
const maxNames = 10_000;

/** Counts attempts by name: of an address, or of an account. */
export class Attempts {
  readonly #allowance: Allowance;
  readonly #clock: Clock;
  readonly #buckets: Map<string, Bucket> = new Map();

  constructor(allowance: Allowance, clock: Clock) {
    this.#allowance = allowance;
    this.#clock = clock;
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /**
   * Counts an attempt. Gives what takes it back, for one that should not count after all.
   *
   * @param name - whose it is; nobody's where it is not known
   * @throws Refusal 429 where there were too many
   */
  take(name: string | undefined): () => void {
    if (name === undefined) return () => undefined;
    const { most, refillMs } = this.#allowance;
    const now = this.#clock.now();
    // One bucket for all that are under way: what is taken back goes where it came from.
    const bucket = this.#buckets.get(name) ?? { left: most, at: now };
    bucket.left = Math.min(most, bucket.left + (now - bucket.at) / refillMs);
    bucket.at = now;
    this.#buckets.delete(name);
    this.#buckets.set(name, bucket);
    const [oldest] = this.#buckets.keys();
    if (this.#buckets.size > maxNames && oldest !== undefined) this.#buckets.delete(oldest);
    if (bucket.left < 1) {
      const seconds = String(Math.ceil(((1 - bucket.left) * refillMs) / 1_000));
      throw new Refusal(429, "There were too many attempts. Try again later.", { fields: [["Retry-After", seconds]] });
    }
    bucket.left -= 1;
    return () => {
      bucket.left = Math.min(most, bucket.left + 1);
    };
  }
}
