import type { Field } from "../../protocol/index.ts";
import type { IsMeant } from "../ports/revocations.ts";

/** The right to follow something, as an opening was given it. */
export interface GivenRight {
  /** What it was asked for with: the very object, by which the origin knows whose it is. */
  readonly fields: readonly Field[];
  /** Whether it may have become another one since it was asked for. */
  readonly isDoubted: boolean;
}

/** So many seconds may pass from an opening's question until its subscription begins. */
const maxSweeps = 120;

class Right implements GivenRight {
  readonly fields: readonly Field[];
  isDoubted = false;
  /** How often was looked around since it was asked for. */
  sweeps = 0;

  constructor(fields: readonly Field[]) {
    this.fields = fields;
  }
}

/** The rights that openings ask for: whoever follows already is told of doubts by itself. */
export class Doubts {
  readonly #rights: Set<Right> = new Set();

  /** Whoever has these fields asks for one. It counts until what is opened with it has begun, or it is left. */
  enter(fields: readonly Field[]): GivenRight {
    const right = new Right(fields);
    this.#rights.add(right);
    return right;
  }

  /** Nothing comes of it, or it has begun. Twice is fine. */
  leave(right: GivenRight): void {
    this.#rights.delete(right as Right);
  }

  doubt(isMeant: IsMeant): void {
    for (const right of this.#rights) right.isDoubted ||= isMeant(right.fields);
  }

  /** Once a second: of some, a peer went away before they began. */
  sweep(): void {
    for (const right of this.#rights) {
      right.sweeps += 1;
      if (right.sweeps > maxSweeps) this.#rights.delete(right);
    }
  }
}
