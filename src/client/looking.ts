import type { HttpResponse, Problem } from "../protocol/index.ts";
import { DocumentFollower } from "./document-follower.ts";
import type { FallbackOptions } from "./fallback.ts";
import { problemOf } from "./problem.ts";
import { RowLooks } from "./row-looks.ts";
import type { Sink } from "./transport.ts";

/** How often the socket must fail, or hang, though the server is there, until it counts as blocked. */
const blockedAfter = 2;

/**
 * Stands in for the whole fallback where each byte counts, as in the page: where sockets are blocked, it looks at each URL at
 * intervals, and knows no other way.
 */
export class Fallback {
  readonly #options: FallbackOptions;
  readonly #looks: RowLooks;
  readonly #followers: Map<Sink, DocumentFollower> = new Map();
  #failures = 0;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#looks = new RowLooks(options);
  }

  get isUsed(): boolean {
    return this.#failures >= blockedAfter;
  }

  takeOver(answer: HttpResponse): Problem | undefined {
    if (answer.status === 401 || answer.status === 403) return problemOf(answer);
    this.#options.onServer(answer);
    this.#failures += 1;
    return undefined;
  }

  add(sink: Sink): () => void {
    this.#followers.set(sink, new DocumentFollower({ ...this.#options, sink, looks: this.#looks, open: undefined }));
    return () => {
      this.#followers.get(sink)?.stop();
      this.#followers.delete(sink);
    };
  }

  askAnew(sink: Sink): void {
    this.#followers.get(sink)?.askAnew();
  }

  wake(): void {
    for (const follower of this.#followers.values()) follower.wake();
  }

  /** Each look has the credentials of then. */
  renew(): void {}

  stop(): void {
    for (const follower of this.#followers.values()) follower.stop();
    this.#followers.clear();
    this.#failures = 0;
  }
}

/** Nothing: who shows the status says it better. */
export function hintAtSocket(): string {
  return "";
}
