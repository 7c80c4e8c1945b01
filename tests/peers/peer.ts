import type { Body } from "../../src/protocol/index.ts";

/**
 * What a peer can do. A case names what it needs, so that one list serves clients of every transport.
 *
 * | ability | meaning |
 * |---|---|
 * | `level-0`, `level-1` | opens a WebSocket that is at this level |
 * | `fields` | sets fields of its opening: `Last-Event-ID` |
 * | `in-band` | sends messages: requests |
 * | `ping` | sends pings and tells of pongs |
 * | `deflate` | offers `permessage-deflate` |
 * | `close` | closes with a code and a reason of its own, and tells the server's |
 * | `status` | tells the status of a handshake that was refused |
 * | `plain` | speaks without TLS, so that the line's bytes can be read |
 *
 * Clients of event streams are another transport with `level-1` (the same messages, from the events' data), `fields` or
 * not, and nothing in band.
 */
export type Ability = "level-0" | "level-1" | "fields" | "in-band" | "ping" | "deflate" | "close" | "status" | "plain";

/** What a peer opens. */
export interface Opening {
  readonly url: string;
  /** The subprotocols that it offers. */
  readonly protocols: readonly string[];
  /** Further fields of its request. */
  readonly fields: Readonly<Record<string, string>>;
}

/** How a connection ended; of a refused handshake, its status. */
export interface Ending {
  readonly code?: number;
  readonly reason?: string;
  readonly status?: number;
}

/** What is heard of a peer. */
export interface Ears {
  opened(protocol: string): void;
  received(data: Body): void;
  ponged(data: string): void;
  ended(ending: Ending): void;
}

/** A connection that a peer has open, or is opening. What it can't do, it throws. */
export interface Wire {
  send(data: Body): void;
  ping(data: string): void;
  close(code: number, reason: string): void;
  /** Ends it at once, with whatever it runs in. */
  drop(): void;
}

/** A client that nobody here wrote. */
export interface PeerKind {
  readonly name: string;
  readonly abilities: ReadonlySet<Ability>;
  /** Why it can't be run here; empty where it can. */
  readonly missing: string;
  open(opening: Opening, ears: Ears): Wire;
}

/** All that a full WebSocket library can do. */
export const fullAbilities: readonly Ability[] = [
  "level-0",
  "level-1",
  "fields",
  "in-band",
  "ping",
  "deflate",
  "close",
  "status",
  "plain",
];

/** All abilities but some. */
export function allBut(...lacking: readonly Ability[]): ReadonlySet<Ability> {
  return new Set(fullAbilities.filter((ability) => !lacking.includes(ability)));
}

/** What a peer has instead of something that it can't do. */
export function unable(what: string): () => never {
  return () => {
    throw new Error(`This peer does not ${what}.`);
  };
}
