import type { Asked, ConnectionHistory, Entry, Stream, ViewDescription } from "./history.ts";
import type { Surroundings } from "./surroundings.ts";

/** A subscription while it is recorded. */
export class LiveStream implements Stream {
  readonly name: string;
  readonly level: 0 | 1;
  readonly connection: ConnectionHistory;
  readonly view: ViewDescription;
  asked: Asked;
  readonly entries: Entry[] = [];
  openedHead?: number;
  isOpenAtEnd = false;
  readonly isInBand: boolean;
  /** True until something ended it. */
  isActive = true;
  /** How many pages of the journal had been read when it was opened, and when it was caught up. */
  readonly readsBefore: number;
  readsAfter?: number;

  constructor(
    connection: ConnectionHistory,
    view: ViewDescription,
    asked: Asked,
    { isInBand = false, readsBefore = 0 }: { isInBand?: boolean; readsBefore?: number } = {},
  ) {
    this.name = `${connection.name} ${view.url}`;
    this.level = connection.level;
    this.connection = connection;
    this.view = view;
    this.asked = asked;
    this.isInBand = isInBand;
    this.readsBefore = readsBefore;
  }

  /** Whether its Last-Event-ID was known is certain only where that did not change until the answer came. */
  settleAsked(surroundings: Surroundings): void {
    const { lastEventId, isKnown, ...rest } = this.asked;
    if (lastEventId === undefined) return;
    const isStill = surroundings.isKnown(lastEventId) === isKnown;
    this.asked = { ...rest, lastEventId, ...(isStill && isKnown !== undefined ? { isKnown } : {}) };
  }

  /** Takes one more message. @param reads - how many pages of the journal were read by now */
  take(entry: Entry, reads: number): void {
    this.entries.push(entry);
    if (this.readsAfter === undefined && this.isCaughtUp) this.readsAfter = reads;
  }

  /** True once the server said so: after the opening, by a 304 of its own. */
  get isCaughtUp(): boolean {
    const opened = this.entries.findLastIndex(({ status }, at) => at === 0 || status === 200);
    return opened >= 0 && this.entries.some(({ status, isAnswer }, at) => at > opened && status === 304 && !isAnswer);
  }
}
