import type { Body, Field } from "../protocol/index.ts";

/** How one connection ended. */
export type Ending =
  /** By a close frame, or torn (1006). */
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }
  /** The handshake was answered with another status than 101. */
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly detail: string;
      readonly retryAfterMs?: number;
      readonly location?: string;
    }
  /** The handshake was answered with a 101 that does not name the subprotocol that was offered. */
  | { readonly kind: "no-echo" }
  /** There was no connection. */
  | { readonly kind: "unreachable"; readonly reason: string; readonly isPermanent: boolean }
  /** The peer does not speak WebSocket, or not as it should. */
  | { readonly kind: "garbled"; readonly reason: string };

/** What a connection is opened with. */
export interface Dialing {
  /** A `ws:` or `wss:` URL. */
  readonly url: string;
  /** 1 offers the subprotocol of Level 1. */
  readonly level: 0 | 1;
  readonly lastEventId?: string;
  /** Further fields of the handshake. */
  readonly headers: readonly Field[];
}

/** What a connection tells. After `ended` nothing more comes. */
export interface LinkEvents {
  /** The handshake is done. */
  opened(): void;
  received(message: Body): void;
  /** A ping or pong came. */
  pinged(): void;
  /** It is over; called once, also when it was never open. */
  ended(ending: Ending): void;
}

/** A connection that is being opened, or open. */
export interface Link {
  ping(): void;
  /** Says good-bye. @param code - a WebSocket close code */
  close(code: number): void;
  /** Drops the connection without waiting for the peer. */
  abandon(): void;
}

/** Opens a connection. What tests replace. */
export type Dial = (dialing: Dialing, events: LinkEvents) => Link;
