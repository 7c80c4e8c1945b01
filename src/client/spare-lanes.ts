import { type ClientClock, Timer } from "./clock.ts";
import type { Lane } from "./lane.ts";
import type { Sink } from "./transport.ts";

/** So long after something ended, what is left moves together. */
const tidyMs = 10_000;

/** The connections of a client. */
export interface Lanes {
  /** The first one is there always. */
  readonly all: Lane[];
  /** How many URLs one may follow. */
  room: number;
  /** True where the server says it. */
  isSaid: boolean;
  /** Follows it where there is room. */
  readonly put: (sink: Sink) => Lane;
}

/** How many more a connection may follow. */
function roomIn(lane: Lane, room: number): number {
  return lane.isElsewhere ? 0 : Math.max(0, room - lane.size);
}

/** Lets go of connections that are not needed any more, and finds out where one has no room for more. */
export class SpareLanes {
  readonly #lanes: Lanes;
  readonly #tidy: Timer;
  #isTidying = false;
  /** What the room was taken for before a refusal told of less. */
  #before = 0;
  /** True once it turned out that one did not. */
  #hasErred = false;

  constructor(clock: ClientClock, lanes: Lanes) {
    this.#lanes = lanes;
    this.#tidy = new Timer(clock);
  }

  /**
   * A URL is refused as if the connection had no room, where the server does not say how many it has. Where one with fewer
   * has none either, it was the application's own refusal: no connection is made for another one.
   *
   * @param count - how many subscriptions the connection has
   */
  refused(lane: Lane, sink: Sink, count: number): void {
    const lanes = this.#lanes;
    if (lanes.isSaid || this.#hasErred || count > lanes.room || !lane.has(sink)) return;
    if (lane === lanes.all[0] && count > 0) {
      if (count < lanes.room) this.#before = lanes.room;
      lanes.room = count;
      this.#move(sink, lane);
    } else if (lane !== lanes.all[0] && count < lanes.room) {
      this.#hasErred = true;
      lanes.room = this.#before;
      this.left();
    }
  }

  /** Something has ended. */
  left(): void {
    if (this.#isTidying || this.#lanes.all.length === 1) return;
    this.#isTidying = true;
    this.#tidy.set(() => {
      this.#isTidying = false;
      while (this.#moveUp());
    }, tidyMs);
  }

  /** Twice is fine. */
  close(): void {
    this.#tidy.cancel();
    this.#isTidying = false;
  }

  #move(sink: Sink, lane: Lane): void {
    lane.remove(sink);
    // What comes until it is followed there is told then.
    sink.lost(false);
    this.#lanes.put(sink);
  }

  /** Moves what the last connection has, where the others have room for it. Gives whether that one is let go. */
  #moveUp(): boolean {
    const { all, room } = this.#lanes;
    const last = all.at(-1);
    if (!last || last === all[0]) return false;
    const free = all.slice(0, -1).reduce((sum, lane) => sum + roomIn(lane, room), 0);
    const isSpare = last.size <= free;
    const waiting = last.sinks.filter(({ isCaughtUp, intervalMs }) => !isCaughtUp || intervalMs !== undefined);
    const surplus = Math.min(free, Math.max(0, last.size - room));
    for (const sink of isSpare ? last.sinks : waiting.slice(0, surplus)) this.#move(sink, last);
    if (isSpare) {
      last.close();
      all.pop();
    }
    return isSpare;
  }
}
