import type { EventEmitter } from "node:events";
import * as http2 from "node:http2";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../server/index.ts";
import { mostFields } from "../request-target.ts";
import { openStream } from "./open-stream.ts";
import { StreamTurns } from "./turns.ts";

/** What sessions need. */
export interface SessionParts {
  /** What takes each stream as a connection of its own. */
  readonly server: EventEmitter;
  /** Bytes that a request's head may have. */
  readonly maxHeadBytes: number;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** Streams that one session may have open. */
const mostStreams = 100;
/** MiB that a session may take by itself: heads, what was not sent yet. */
const sessionMebibytes = 4;
/** How long a session may have no stream at all, at its beginning and later. */
const firstStreamMs = 10_000;
const idleMs = 60_000;
/** How long a session may take to end. */
const endMs = 5_000;
const lookMs = 1_000;

interface Session {
  readonly session: http2.ServerHttp2Session;
  readonly socket: TLSSocket;
  streams: number;
  /** When it has to have a stream, or to be gone. */
  deadline: number;
  isEnding: boolean;
}

/** True where this runtime can take a connection of somebody else's for HTTP/2. */
export function canSpeakHttp2(): boolean {
  return typeof http2.performServerHandshake === "function";
}

/** The sessions of HTTP/2 that a server has: bounded in what they hold, and in how long they do nothing [R-SEC-5]. */
export class Http2Sessions {
  readonly #parts: SessionParts;
  readonly #turns: StreamTurns = new StreamTurns();
  readonly #sessions: Set<Session> = new Set();
  #cancel: () => void;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#cancel = this.#next();
  }

  /** Takes a connection whose ALPN said `h2`. Nothing that its peer sends ends the process [R-SEC-4]. */
  accept(socket: TLSSocket): void {
    const { maxHeadBytes, clock } = this.#parts;
    const session = http2.performServerHandshake(socket, {
      maxSessionMemory: sessionMebibytes,
      maxHeaderListPairs: mostFields,
      settings: { enableConnectProtocol: true, maxConcurrentStreams: mostStreams, maxHeaderListSize: maxHeadBytes },
    });
    const entry: Session = { session, socket, streams: 0, deadline: clock.now() + firstStreamMs, isEnding: false };
    this.#sessions.add(entry);
    session.on("error", () => session.destroy());
    session.once("close", () => this.#sessions.delete(entry));
    // Node's types do not know of the last one, the fields as they came.
    const onStream = (stream: http2.ServerHttp2Stream, _fields: object, _flags: number, raw: readonly string[]): void =>
      this.#take(entry, socket, stream, raw);
    session.on("stream", onStream as (stream: http2.ServerHttp2Stream) => void);
  }

  /** Has peers open no more streams: each session ends with its last one. */
  close(): void {
    for (const entry of this.#sessions) this.#close(entry);
  }

  /** Ends them all at once. */
  destroy(): void {
    for (const entry of this.#sessions) this.#destroy(entry);
    this.#cancel();
  }

  #take(entry: Session, socket: TLSSocket, stream: http2.ServerHttp2Stream, raw: readonly string[]): void {
    const { server, reportError, clock } = this.#parts;
    entry.streams += 1;
    // Reset before its turn came: then nothing of it was begun.
    stream.on("error", () => {});
    const over = (): void => {
      entry.streams -= 1;
      entry.deadline = clock.now() + idleMs;
    };
    this.#turns.enter(socket.remoteAddress ?? "", () => {
      try {
        const opened = openStream(server, socket, stream, raw);
        if (opened) opened.once("close", over);
        else over();
      } catch (error) {
        over();
        reportError(error, "http2");
        stream.destroy();
      }
    });
  }

  #close(entry: Session): void {
    if (entry.isEnding) return;
    entry.isEnding = true;
    entry.deadline = this.#parts.clock.now() + endMs;
    if (!entry.session.closed) entry.session.close();
  }

  /** A session that has ended waits for its peer to end the connection, too, and would wait for ever. */
  #destroy({ session, socket }: Session): void {
    session.destroy();
    socket.destroy();
  }

  #next(): () => void {
    const { clock } = this.#parts;
    return clock.setTimer(() => {
      this.#cancel = this.#next();
      for (const entry of this.#sessions) {
        if (entry.streams > 0 || clock.now() < entry.deadline) continue;
        if (entry.isEnding) this.#destroy(entry);
        else this.#close(entry);
      }
    }, lookMs);
  }
}
