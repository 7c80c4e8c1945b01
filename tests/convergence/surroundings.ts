import type { Field, HttpResponse } from "../../src/protocol/index.ts";
import type { MemoryPeer, MemoryStream, Random } from "../../src/testing/index.ts";
import type { ConnectionHistory, Mark, Stream } from "./history.ts";
import type { Target } from "./views.ts";

/** One end of a connection, in memory or over a socket. */
export type Peer = Pick<
  MemoryPeer,
  "closing" | "disconnect" | "pause" | "peakUnreadBytes" | "pings" | "request" | "resume" | "send"
>;

/** How a client connects. */
export interface Call {
  readonly level: 0 | 1;
  readonly target: string;
  readonly fields: readonly Field[];
  readonly onMessage: (message: HttpResponse) => void;
  /** The stream over plain HTTP that it reads. Default: it has a WebSocket. */
  readonly stream?: MemoryStream | undefined;
}

/** What a client of a run sees of it: the way to the server, and what the history needs to know of the moment. */
export interface Surroundings {
  readonly random: Random;
  /** Where subscriptions and connections are recorded. */
  readonly streams: Stream[];
  readonly connections: ConnectionHistory[];
  /** Milliseconds. */
  readonly now: number;
  /** The last position that is committed for certain. */
  readonly head: number;
  /** False where `head` may lag behind what was committed. */
  readonly isHeadExact: boolean;
  /** A position that nothing which has been received lies beyond. */
  readonly horizon: number;
  readonly epoch: number;
  /** How many pages of the journal were read. */
  readonly reads: number;
  /** What an Event-ID means, whether or not it can be resumed from. */
  mark(eventId: string): Mark | undefined;
  /** Whether all that follows a position can be told right now. */
  isKnown(eventId: string): boolean;
  /** A Last-Event-ID that means nothing. */
  nonsense(): string;
  drawTarget(): Target;
  /** Never rejects: a connection that fails is closed from the start. */
  connect(call: Call): Promise<Peer>;
  /** A plain GET; `undefined` where the server is away. */
  get(target: string): Promise<HttpResponse | undefined>;
  /** A GET that waits for a change from a position; a 304 where there is none. Absent where no run polls. */
  poll?(target: string, lastEventId: string, signal: AbortSignal): Promise<HttpResponse | undefined>;
}
