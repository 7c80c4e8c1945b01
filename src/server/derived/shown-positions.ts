/** How many are remembered. */
const most = 8;

/** The last positions of a view: a GET that began before may have been answered with one of them. */
export class ShownPositions {
  readonly #shown: { readonly eventId: string; readonly until: number }[] = [];

  /** Says that a position is the view's no more. */
  add(eventId: string, until: number): void {
    this.#shown.push({ eventId, until });
    if (this.#shown.length > most) this.#shown.shift();
  }

  /** Whether a position was the view's at some time since. @param positionOf - works it out, which is asked for if need be */
  has(since: number, positionOf: () => string): boolean {
    const recent = this.#shown.filter(({ until }) => until >= since);
    if (recent.length === 0) return false;
    const eventId = positionOf();
    return recent.some((shown) => shown.eventId === eventId);
  }
}
