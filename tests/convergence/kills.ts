import type { Random } from "../../src/testing/index.ts";

/** What a run kills: a server, or something of the database that it serves. */
export type KillKind =
  /** `kill -9` of any server. */
  | "server"
  /** `kill -9` of the server that is giving positions, in the middle of that. */
  | "sequencer"
  /** `pg_terminate_backend` of the session in which positions are being given. */
  | "tick"
  /** `pg_terminate_backend` of some of the servers' sessions, at once. */
  | "sessions"
  /** Whoever writes plain SQL, in its transaction. */
  | "writer"
  /** `kill -9` of a backend, with which PostgreSQL ends all others. */
  | "backend"
  /** PostgreSQL, by `-m immediate`. */
  | "postgres"
  /** `kill -9` of the postmaster. */
  | "postmaster";

/** How often each kind comes, beside the others. */
export type KillWeights = Readonly<Partial<Record<KillKind, number>>>;

/** The kinds in an order by chance: each as often as its weight says before any comes more often. */
export class KillBag {
  readonly #random: Random;
  readonly #weights: KillWeights;
  #left: KillKind[] = [];

  constructor(random: Random, weights: KillWeights) {
    this.#random = random;
    this.#weights = weights;
  }

  draw(): KillKind {
    if (this.#left.length === 0) this.#left = this.#fill();
    const [kind = "server"] = this.#left.splice(this.#random.below(this.#left.length), 1);
    return kind;
  }

  #fill(): KillKind[] {
    const weights = Object.entries(this.#weights) as [KillKind, number][];
    return weights.flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));
  }
}
