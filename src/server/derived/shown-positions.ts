/** How many are remembered. */
const most = 8;

/** What a view shows and has shown lately, by the moments at which that was asked for. */
export class ShownPositions {
  readonly #shown: { readonly eventId: string; readonly until: number }[] = [];
  /** The last question that was answered with what is shown. */
  #askedAt: number;
  /** When a question was last found to be answered with it. */
  #confirmedAt: number;
  #isReplacing = false;

  /** @param askedAt - when what is shown first was asked for */
  constructor(askedAt: number) {
    this.#askedAt = askedAt;
    this.#confirmedAt = askedAt;
  }

  /** Says that a question was answered with what is shown. */
  confirm(askedAt: number, now: number): void {
    this.#askedAt = Math.max(this.#askedAt, askedAt);
    this.#confirmedAt = now;
  }

  /** Whether what is shown was asked for after a question. */
  isAfter(askedAt: number): boolean {
    return this.#askedAt > askedAt;
  }

  /** Whether another question was found to be answered with it since: which of the two answers was read first, nobody knows. */
  isConfirmedSince(askedAt: number): boolean {
    return this.#confirmedAt > askedAt;
  }

  /** Whether an answer is being taken in. Who began with what is shown until then might be taken back by it. */
  get isReplacing(): boolean {
    return this.#isReplacing;
  }

  /** Takes an answer in. @param take - says by `replaced` when it is shown, which need not happen */
  async replacing<Result>(take: () => Promise<Result>): Promise<Result> {
    this.#isReplacing = true;
    try {
      return await take();
    } finally {
      this.#isReplacing = false;
    }
  }

  /** Says that a position is the view's no more. @param askedAt - when what is shown now was asked for */
  replaced(eventId: string, now: number, askedAt: number): void {
    this.#shown.push({ eventId, until: now });
    if (this.#shown.length > most) this.#shown.shift();
    this.#askedAt = askedAt;
  }

  /** Whether a position was the view's at some time since. @param positionOf - works it out, which is asked for if need be */
  has(since: number, positionOf: () => string): boolean {
    const recent = this.#shown.filter(({ until }) => until >= since);
    if (recent.length === 0) return false;
    const eventId = positionOf();
    return recent.some((shown) => shown.eventId === eventId);
  }
}
