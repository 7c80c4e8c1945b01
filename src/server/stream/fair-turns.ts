import type { Clock } from "../ports/clock.ts";

/** Who takes turns: a connection. */
export interface TurnTaker {
  readonly isClosed: boolean;
  /** True while it has no room for what a turn brings. */
  readonly isCongested: boolean;
  /** Where it comes from; absent where that is not known. */
  readonly address?: string | undefined;
  /** Resolves once it is not congested any more, or closed. */
  room(): Promise<void>;
}

/** How many tasks may run at once. */
export interface TurnLimits {
  /** In all. */
  readonly most: number;
  /** Of one taker, while it has room. */
  readonly mostOfOne: number;
  /** Of all takers from one address. Default: as in all. */
  readonly mostOfAddress?: number;
}

/** What waits of one taker. */
interface Line {
  readonly taker: TurnTaker;
  /** Each is told whether its task may begin; not where the taker is gone. */
  readonly waiting: ((mayBegin: boolean) => void)[];
  running: number;
  /** True once the taker had no room: from then on one task at a time, until none waits. */
  isNarrow: boolean;
}

/**
 * Lets tasks begin in turns: one per turn of the event loop, of each taker in rotation, and a bounded number at once. So
 * nobody waits for more than one task of each of the others, however many those have.
 */
export class FairTurns {
  readonly #clock: Pick<Clock, "defer">;
  readonly #limits: TurnLimits;
  readonly #lines: Map<TurnTaker, Line> = new Map();
  /** The lines of which a task may be the next, in rotation. */
  readonly #ready: Set<Line> = new Set();
  readonly #runningFrom: Map<string, number> = new Map();
  #running = 0;
  /** True where a task has begun in this turn of the event loop. */
  #isTaken = false;

  constructor(clock: Pick<Clock, "defer">, limits: TurnLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Runs a task in its taker's turn, when that has room; `undefined` without it where the taker is gone before. */
  async run<Result>(taker: TurnTaker, task: () => Promise<Result>): Promise<Result | undefined> {
    const line = this.#lineOf(taker);
    const mayBegin = await new Promise<boolean>((resolve) => {
      line.waiting.push(resolve);
      this.#offer(line);
    });
    if (!mayBegin) return undefined;
    try {
      return await task();
    } finally {
      line.running -= 1;
      this.#running -= 1;
      this.#count(line, -1);
      this.#offer(line);
    }
  }

  #lineOf(taker: TurnTaker): Line {
    let line = this.#lines.get(taker);
    if (!line) {
      line = { taker, waiting: [], running: 0, isNarrow: false };
      this.#lines.set(taker, line);
    }
    return line;
  }

  /** Something about a line has changed: its turn may have come. */
  #offer(line: Line): void {
    const most = line.isNarrow ? 1 : this.#limits.mostOfOne;
    if (line.waiting.length === 0) {
      if (line.running === 0 && this.#lines.get(line.taker) === line) this.#lines.delete(line.taker);
    } else if (line.running < most) {
      this.#ready.add(line);
    }
    this.#next();
  }

  #next(): void {
    while (!this.#isTaken && this.#running < this.#limits.most) {
      const line = this.#firstReady();
      if (!line) return;
      this.#ready.delete(line);
      if (line.taker.isClosed) this.#giveUp(line);
      else if (line.taker.isCongested) this.#park(line);
      else this.#begin(line);
    }
  }

  /** The first line whose address has not as many tasks running as it may. */
  #firstReady(): Line | undefined {
    const { most, mostOfAddress = most } = this.#limits;
    for (const line of this.#ready) {
      const { address, isClosed } = line.taker;
      if (isClosed || address === undefined || (this.#runningFrom.get(address) ?? 0) < mostOfAddress) return line;
    }
    return undefined;
  }

  #count({ taker: { address } }: Line, by: 1 | -1): void {
    if (address === undefined) return;
    const running = (this.#runningFrom.get(address) ?? 0) + by;
    if (running > 0) this.#runningFrom.set(address, running);
    else this.#runningFrom.delete(address);
  }

  #begin(line: Line): void {
    const begin = line.waiting.shift();
    if (!begin) return;
    line.running += 1;
    this.#running += 1;
    this.#count(line, 1);
    this.#isTaken = true;
    this.#clock.defer(() => {
      this.#isTaken = false;
      this.#next();
    });
    // Behind all others that are ready.
    this.#offer(line);
    begin(true);
  }

  #park(line: Line): void {
    line.isNarrow = true;
    void line.taker.room().then(() => this.#offer(line));
  }

  #giveUp(line: Line): void {
    for (const refuse of line.waiting.splice(0)) refuse(false);
    this.#offer(line);
  }
}

/** How many openings of one connection run at once. */
const openingsOfOne = 8;

/** The turns of connections' openings. @param most - how many run at once, in all */
export function createOpeningTurns(clock: Pick<Clock, "defer">, most: number): FairTurns {
  // Whoever opens many connections leaves half of the places to others.
  return new FairTurns(clock, { most, mostOfOne: openingsOfOne, mostOfAddress: Math.max(1, most >> 1) });
}

/** How many requests in band of one connection run at once. */
const requestsOfOne = 8;

/** The turns of connections' requests in band. @param most - how many run at once, in all */
export function createRequestTurns(clock: Pick<Clock, "defer">, most: number): FairTurns {
  return new FairTurns(clock, { most, mostOfOne: requestsOfOne, mostOfAddress: Math.max(1, most >> 1) });
}

/** A handshake that is no connection yet: it holds nothing that could have no room. */
export function newcomer(address: string | undefined): TurnTaker {
  return { isClosed: false, isCongested: false, address, room: () => Promise.resolve() };
}
