import { decodeResponse, encodeRequest, type Field, type HttpResponse } from "../protocol/index.ts";
import {
  type Connection,
  framesIn,
  type Handshake,
  type Hub,
  type Transport,
  webSocketFraming,
} from "../server/index.ts";
import { createStreamReading, type MemoryStream, type Reading } from "./stream-reading.ts";

/** A client at the other end of a transport in memory. */
export interface MemoryPeer {
  /** Every message that was read, oldest first. */
  readonly messages: readonly HttpResponse[];
  /** How many bytes the server wrote and the peer did not read yet. */
  readonly unreadBytes: number;
  /** The most that `unreadBytes` ever was. */
  readonly peakUnreadBytes: number;
  /** How many times the server wrote. */
  readonly writes: number;
  /** How many times it was pinged. */
  readonly pings: number;
  /** False while the server does not read from the peer. */
  readonly isRead: boolean;
  /** The code and reason of the server's close, once it closed. */
  readonly closing: { readonly code: number; readonly reason: string } | undefined;
  /** Sends a request in band. */
  request(method: string, target: string, fields?: readonly Field[]): void;
  /** Sends anything. */
  send(data: string | Uint8Array): void;
  /** Stops reading: what the server writes piles up. */
  pause(): void;
  /** Reads what piled up, and goes on reading. */
  resume(): void;
  /** Breaks the connection; what was not read is lost. */
  disconnect(): void;
}

/** What a peer wants of its connection. */
export interface MemoryPeerOptions extends Partial<Handshake> {
  /**
   * The stream over plain HTTP that it reads: then what it sends is not heard, and a refusal is the only message. Of a patch
   * stream, the messages are notifications whose body is the record alone. Default: it has a WebSocket.
   */
  readonly stream?: MemoryStream;
  /** Told of each message as it is read, after it was added to `messages`. */
  readonly onMessage?: (message: HttpResponse) => void;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const socketReading: Reading = {
  framing: webSocketFraming,
  read: (bytes) =>
    Array.from(framesIn(bytes), ({ isText, payload }) => decodeResponse(isText ? decoder.decode(payload) : payload)),
};

class LinkedPeer implements MemoryPeer, Transport {
  readonly framing: Transport["framing"];
  readonly messages: HttpResponse[] = [];
  peakUnreadBytes = 0;
  takenBytes = 0;
  writes = 0;
  pings = 0;
  isRead = true;
  closing: MemoryPeer["closing"];
  connection: Connection | undefined;
  readonly #reading: Reading;
  readonly #onMessage: ((message: HttpResponse) => void) | undefined;
  #unread: Uint8Array[] = [];
  #unreadBytes = 0;
  #isPaused = false;
  #isGone = false;

  constructor(reading: Reading, onMessage: ((message: HttpResponse) => void) | undefined) {
    this.framing = reading.framing;
    this.#reading = reading;
    this.#onMessage = onMessage;
  }

  /** Gives a message to who reads. */
  take(message: HttpResponse): void {
    this.messages.push(message);
    this.#onMessage?.(message);
  }

  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  get unsentBytes(): number {
    return this.#unreadBytes;
  }

  write(bytes: Uint8Array): void {
    if (this.#isGone || this.closing) return;
    this.writes += 1;
    this.#unread.push(bytes);
    this.#unreadBytes += bytes.length;
    this.peakUnreadBytes = Math.max(this.peakUnreadBytes, this.#isPaused ? this.#unreadBytes : 0);
    if (!this.#isPaused) this.#read();
  }

  ping(): void {
    this.pings += 1;
  }

  close(code: number, reason: string): void {
    this.closing ??= { code, reason };
  }

  abort(): void {
    this.closing ??= { code: 1006, reason: "" };
    this.disconnect();
  }

  setReading(reading: boolean): void {
    this.isRead = reading;
  }

  request(method: string, target: string, fields: readonly Field[] = []): void {
    this.send(encodeRequest({ method, target, fields }));
  }

  send(data: string | Uint8Array): void {
    if (!this.#isGone) this.connection?.receive(data);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#unread.length === 0) return;
    this.#read();
    this.connection?.drained();
  }

  disconnect(): void {
    this.#isGone = true;
    this.#unread = [];
    this.#unreadBytes = 0;
    this.connection?.closed();
  }

  #read(): void {
    const unread = this.#unread;
    this.#unread = [];
    this.takenBytes += this.#unreadBytes;
    this.#unreadBytes = 0;
    for (const bytes of unread) for (const message of this.#reading.read(bytes)) this.take(message);
  }
}

/**
 * Connects a client in memory to a hub, at Level 1 unless told otherwise. A peer of Level 0 or with a stream is authorised first, as a
 * server does before the 101 or the stream; where that is refused, the answer's status is the close code + 4000.
 */
export async function connectMemoryPeer(
  hub: Hub,
  target: string,
  options: Omit<MemoryPeerOptions, "target"> = {},
): Promise<MemoryPeer> {
  const { stream, fields = [["Host", "example.com"]], peer: from, onMessage } = options;
  const isPatch = stream === "patch-stream";
  const level = isPatch ? 0 : (options.level ?? 1);
  const reading = stream ? createStreamReading(stream) : socketReading;
  const peer = new LinkedPeer(reading, onMessage);
  const handshake: Handshake = { level, target, fields, peer: from, ...(isPatch && { hasPositions: true }) };
  if (level === 1 && !stream) {
    peer.connection = hub.connect(peer, handshake);
    return peer;
  }
  const opening = await hub.authorise(handshake);
  if (opening.kind === "accepted") {
    peer.connection = hub.connect(peer, handshake, opening);
    return peer;
  }
  if (stream) peer.take({ ...opening.response, reason: "" });
  peer.close(4000 + opening.response.status, "");
  return peer;
}
