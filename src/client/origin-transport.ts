import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import { Lane, type LaneOptions } from "./lane.ts";
import { bodyJson } from "./problem.ts";
import { Renewal } from "./renewal.ts";
import type { Connection } from "./socket-connection.ts";
import type { Lanes, SpareLanes } from "./spare-lanes.ts";
import type { Sink, Transport } from "./transport.ts";

/** Connections of a client at once [R-BAND-21]. */
const maxLanes = 8;
/** Subscriptions that a connection may have where the server does not say it [R-BAND-7]. */
const usualRoom = 100;

/** What the way to an origin needs. */
export interface OriginTransportOptions extends Omit<LaneOptions, "onReady" | "onFull"> {
  /** Whether the first rows are asked for beside the socket. */
  readonly asksEarly: boolean;
}

/**
 * Follows URLs of one origin by as few connections as the server lets it: by one, and by further ones where there are
 * more URLs than it lets a connection follow [R-BAND-21].
 */
export class OriginTransport implements Transport {
  readonly #options: OriginTransportOptions;
  /** By the first one requests go, too. Nobody knows what one may follow before the server has said something. */
  readonly #lanes: Lanes = {
    all: [],
    room: Number.POSITIVE_INFINITY,
    isSaid: false,
    put: (sink) => this.#put(sink),
  };
  #spare: SpareLanes | undefined;
  readonly #renewal: Renewal;

  constructor(options: OriginTransportOptions) {
    this.#options = options;
    this.#lanes.all.push(this.#lane(options.onHint));
    this.#renewal = new Renewal(options.clock, () => this.renew());
    options.http.onToken = () => this.#watchToken();
  }

  follow(sink: Sink): () => void {
    const lane = this.#put(sink);
    if (this.#options.asksEarly && lane.isBeginning && !sink.hasState) void this.#askEarly(sink);
    return () => {
      for (const one of this.#lanes.all) one.remove(sink);
      if (this.#isIdle) this.close();
      else if (this.#lanes.all.length > 1) this.#withSpare((spare) => spare.left());
    };
  }

  askAnew(sink: Sink): void {
    for (const lane of this.#lanes.all) lane.askAnew(sink);
  }

  /** The connection that takes requests, once one that is being made does; `undefined` where there is none. */
  connected(): Promise<Connection | undefined> | undefined {
    return this.#lanes.all[0]?.connected();
  }

  renew(): void {
    for (const lane of this.#lanes.all) lane.renew();
    void this.#options.http.authorization(true).then(
      () => {
        for (const lane of this.#lanes.all) lane.giveCredentials();
      },
      () => {},
    );
  }

  wake(): void {
    for (const lane of this.#lanes.all) lane.wake();
  }

  /** Gives the connections up until `wake`, or for a while. */
  sleep(): void {
    for (const lane of this.#lanes.all) lane.sleep();
  }

  close(): void {
    for (const lane of this.#lanes.all) lane.close();
    this.#lanes.all.length = 1;
    this.#spare?.close();
    this.#renewal.cancel();
  }

  get #isIdle(): boolean {
    return this.#lanes.all.every(({ size }) => size === 0);
  }

  #lane(onHint: LaneOptions["onHint"]): Lane {
    const lane: Lane = new Lane({
      ...this.#options,
      onHint,
      onReady: (wellKnown) => this.#ready(lane, wellKnown),
      onFull: (sink, count) => this.#withSpare((spare) => spare.refused(lane, sink, count)),
    });
    return lane;
  }

  #watchToken(): void {
    if (!this.#isIdle) this.#renewal.watch(this.#options.http.tokenEndsAt);
  }

  /** The first rows don't wait for the socket: they are asked for beside it. */
  async #askEarly(sink: Sink): Promise<void> {
    try {
      const { http } = this.#options;
      const answer = await http.ask(sink.target, { cache: "no-store" });
      const isSaid = fieldValue(answer.fields, "items") !== undefined;
      const guess = isSaid ? undefined : await import("./guess-items.ts");
      const said = guess ? guess.surelyGuessed(answer, sink.target, http.base.origin) : answer;
      if (said && this.#lanes.all.some((lane) => lane.has(sink))) sink.early(said);
    } catch {
      // The socket will tell.
    }
  }

  /** Follows it by the first connection that has room; what the last one has no room for is refused there, and looked at. */
  #put(sink: Sink): Lane {
    const { all, room } = this.#lanes;
    const roomy = all.find((one) => !one.isElsewhere && one.size < room) ?? all.find((one) => one.isElsewhere);
    if (!roomy && all.length < maxLanes) all.push(this.#lane(() => {}));
    const lane = roomy ?? (all.at(-1) as Lane);
    lane.add(sink);
    return lane;
  }

  /** The server has said how many a connection may follow: what is beyond that is not asked for there yet. */
  #ready(lane: Lane, wellKnown: HttpResponse): void {
    this.#options.onServer(wellKnown);
    this.#watchToken();
    const said = bodyJson(wellKnown) as { rocket?: { limits?: { maxSubscriptions?: unknown } } } | undefined;
    const most = Number(said?.rocket?.limits?.maxSubscriptions);
    this.#lanes.isSaid = most > 0;
    this.#lanes.room = most > 0 ? most : usualRoom;
    for (const sink of lane.sinks.slice(this.#lanes.room)) {
      lane.remove(sink);
      this.#put(sink);
    }
  }

  /** Few pages need more than one connection. Where the code can't be loaded, they have them for longer. */
  #withSpare(act: (spare: SpareLanes) => void): void {
    const { clock } = this.#options;
    const begin = ({ SpareLanes: Made }: typeof import("./spare-lanes.ts")): void => {
      this.#spare ??= new Made(clock, this.#lanes);
      act(this.#spare);
    };
    import("./spare-lanes.ts").then(begin, () => {});
  }
}
