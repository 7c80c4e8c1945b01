import { type HttpResponse, type Problem, wellKnownPath } from "../protocol/index.ts";
import { Timer } from "./clock.ts";
import { DocumentFollower, type DocumentFollowerOptions } from "./document-follower.ts";
import { next } from "./machine.ts";
import { bodyJson, problemOf } from "./problem.ts";
import { makesPromise } from "./promises.ts";
import { RowLooks } from "./row-looks.ts";
import { StreamFollower } from "./stream-follower.ts";
import { type Way, type WayFinding, wayTransitions } from "./stream-state.ts";
import type { Sink } from "./transport.ts";
import type { Socket, SocketEvents } from "./web-socket.ts";

/** How often the socket must fail, though the server is there, until it counts as blocked. One that hangs does at once. */
const blockedAfter = 2;

/** Streams at once: over HTTP/1.1, browsers have six connections to a host for all that they do. */
const maxStreams = 4;
/** After so long streams are tried again where something held them back. */
const bufferedMs = 300_000;
/** After so long one is, at the earliest, that the server refused for a while. */
const putOffMs = 30_000;

/** What the other ways need. */
export interface FallbackOptions extends Omit<DocumentFollowerOptions, "sink" | "open" | "looks"> {
  readonly onServer: (wellKnown: HttpResponse) => void;
  /** Told what may be missing, for a person. */
  readonly onHint: (text: string) => void;
  /** Opens a Level 0 socket at a URL. */
  readonly open: (target: string, events: SocketEvents) => Socket;
}

/** What may be missing where no socket comes about, for a person. */
export function hintAtSocket(url: string, ms: number): string {
  return `No message has come through ${url} within ${ms / 1_000} s. Is it a Rocket server, and does all that stands in front of it let WebSockets to that path through, from this page's origin? Until then the client makes do without, as its status says.`;
}

function isLevel1(message: HttpResponse): boolean {
  const said = bodyJson(message) as { rocket?: { levels?: unknown } } | undefined;
  const levels = said?.rocket?.levels;
  return message.status === 200 && Array.isArray(levels) && levels.includes(1);
}

function offersStreams(message: HttpResponse): boolean {
  const said = bodyJson(message) as { rocket?: { streams?: unknown } } | undefined;
  const streams = said?.rocket?.streams;
  return Array.isArray(streams) && streams.includes("text/event-stream");
}

/** Those of each host that follow something now: clients of one page share its connections. */
const fallbacksOf: Map<string, Set<Fallback>> = new Map();

/** A URL that is followed, and how. */
interface Following {
  readonly sink: Sink;
  follower: DocumentFollower | StreamFollower;
  /** False where the server has answered that this URL has no stream, and for a while after it refused one. */
  mayStream: boolean;
  /** Ends that while; it was refused one for a while where it is set. */
  putOff: Timer | undefined;
}

/**
 * Follows URLs where there is no socket of Level 1: on servers of the 2013 proposal by a socket of Level 0 for each, on others
 * by streams over plain HTTP where they are offered, else by GETs at intervals.
 */
export class Fallback {
  readonly #options: FallbackOptions;
  readonly #looks: RowLooks;
  readonly #followings: Set<Following> = new Set();
  readonly #buffered: Timer;
  #way: Way = "none";
  #failures = 0;
  /** Whether the server knows who asks for deltas [R-DELTA-5]. */
  #hasDeltas = false;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#looks = new RowLooks(options);
    this.#buffered = new Timer(options.clock);
  }

  /** True while it is the way. */
  get isUsed(): boolean {
    return this.#way !== "none";
  }

  /**
   * Takes over from a socket that could not be opened, where the server is another than of Level 1, or where the socket
   * seems to be blocked.
   *
   * @param answer - what the server answers at the well-known URL
   * @param wasSilent - true where the socket did not fail, but nothing came of it
   * @returns the problem where trying again would not help
   */
  takeOver(answer: HttpResponse, wasSilent: boolean): Problem | undefined {
    const { status } = answer;
    if (status === 401 || status === 403) return problemOf(answer);
    this.#options.onServer(answer);
    this.#hasDeltas = makesPromise(answer, "merge-patch");
    this.#failures += wasSilent ? blockedAfter : 1;
    if (!isLevel1(answer)) {
      this.#find("elsewhere");
      this.#hintAtBase(status);
    } else if (this.#failures >= blockedAfter) this.#find(offersStreams(answer) ? "offered" : "blocked");
    return undefined;
  }

  /** Below a path of their own, servers have to be told of it [R-WK-5]. */
  #hintAtBase(status: number): void {
    const { http, onHint } = this.#options;
    const { origin, pathname } = http.base;
    if (pathname === "/") return;
    onHint(
      `${http.href(wellKnownPath)} is answered with ${status}, and not as Rocket does. Tell the server below which path clients know it (basePath: ${JSON.stringify(pathname.slice(0, -1))} of attach), or make the client with ${origin} and give it whole paths. Until then it follows each URL by itself, as its status says.`,
    );
  }

  /** Follows a URL. Returns a function that ends it. */
  add(sink: Sink): () => void {
    this.#peers.add(this);
    const mayStream = this.#way === "streams" && this.#hasRoom;
    const following: Following = {
      sink,
      follower: mayStream ? this.#stream(sink, () => following) : this.#document(sink),
      mayStream: true,
      putOff: undefined,
    };
    this.#followings.add(following);
    return () => {
      following.follower.stop();
      following.putOff?.cancel();
      this.#followings.delete(following);
      this.#fillAll();
    };
  }

  /** Asks for the whole of a URL. */
  askAnew(sink: Sink): void {
    for (const one of this.#followings) if (one.sink === sink) one.follower.askAnew();
  }

  /** Tries at once what waits. */
  wake(): void {
    for (const { follower } of this.#followings) follower.wake();
  }

  /** Gives the server new credentials: a stream has those that it was asked with. */
  renew(): void {
    for (const { follower } of this.#followings) if (follower instanceof StreamFollower) follower.renew();
  }

  /** Follows nothing more. */
  stop(): void {
    this.#buffered.cancel();
    for (const { follower, putOff } of this.#followings) {
      follower.stop();
      putOff?.cancel();
    }
    this.#followings.clear();
    this.#find("back");
    this.#fillAll();
  }

  #find(finding: WayFinding): void {
    this.#way = next(wayTransitions, this.#way, finding);
  }

  get #streams(): number {
    return [...this.#followings].filter(({ follower }) => follower instanceof StreamFollower).length;
  }

  /** Those that share a host's connections with it. */
  get #peers(): Set<Fallback> {
    const { host } = this.#options.http.base;
    const known = fallbacksOf.get(host) ?? new Set<Fallback>();
    fallbacksOf.set(host, known);
    return known;
  }

  get #hasRoom(): boolean {
    return [...this.#peers].reduce((sum, peer) => sum + peer.#streams, 0) < maxStreams;
  }

  #document(sink: Sink): DocumentFollower {
    const { open, http } = this.#options;
    return new DocumentFollower({
      ...this.#options,
      sink,
      looks: this.#looks,
      // Nothing can show the token there: it would be followed as somebody else sees it.
      open: this.#way === "level-0" && !http.hasToken ? (events) => open(sink.target, events) : undefined,
    });
  }

  #stream(sink: Sink, following: () => Following, wasPutOff = false): StreamFollower {
    return new StreamFollower({
      ...this.#options,
      sink,
      wasPutOff,
      takesDeltas: this.#hasDeltas,
      onBuffered: () => this.#giveUpStreams(),
      onNone: () => {
        following().mayStream = false;
        this.#poll(following());
        this.#fillAll();
      },
      onPutOff: (refusal, leastMs) => this.#putOff(following(), refusal, leastMs),
    });
  }

  #putOff(following: Following, refusal: Problem, leastMs: number): void {
    following.mayStream = false;
    following.putOff ??= new Timer(this.#options.clock);
    this.#poll(following, refusal);
    following.putOff.set(
      () => {
        following.mayStream = true;
        this.#fill();
      },
      Math.max(putOffMs, leastMs),
    );
    this.#fillAll();
  }

  #poll(following: Following, refusal?: Problem): void {
    const { sink, follower } = following;
    follower.stop();
    // One that is refused a stream again was looked at until now.
    if (!refusal || !sink.isCaughtUp || sink.intervalMs === undefined) sink.lost(false, refusal);
    if (this.#followings.has(following)) following.follower = this.#document(following.sink);
  }

  /** Something on the way holds streams back: that holds for all of this host. */
  #giveUpStreams(): void {
    this.#find("buffered");
    for (const one of [...this.#followings]) if (one.follower instanceof StreamFollower) this.#poll(one);
    this.#buffered.set(() => {
      this.#find("due");
      this.#fill();
    }, bufferedMs);
  }

  /** What one leaves, another of the host may have. */
  #fillAll(): void {
    const peers = this.#peers;
    if (this.#followings.size === 0) peers.delete(this);
    for (const peer of [...peers]) peer.#fill();
    if (peers.size === 0) fallbacksOf.delete(this.#options.http.base.host);
  }

  /** Gives those that are polled the streams that there are. */
  #fill(): void {
    if (this.#way !== "streams") return;
    for (const one of [...this.#followings]) {
      const isToStream = one.mayStream && !(one.follower instanceof StreamFollower) && this.#hasRoom;
      if (!isToStream) continue;
      one.follower.stop();
      one.follower = this.#stream(one.sink, () => one, one.putOff !== undefined);
    }
  }
}
