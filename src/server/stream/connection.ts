import { type Body, type Field, truncateReason } from "../../protocol/index.ts";
import { type ByteClaim, smallBytes } from "../byte-budget.ts";
import { joinBytes } from "../delivery/delivery.ts";
import { encodeMessage, type Message } from "../delivery/message.ts";
import type { Outlet } from "../delivery/outlet.ts";
import type { ConnectionSight } from "../hub-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { Framing, Transport } from "../ports/transport.ts";
import type { PeerIdentity } from "../viewer.ts";
import type { TurnTaker } from "./fair-turns.ts";
import type { HubLimits } from "./hub-options.ts";
import { InBand, type InBandParts } from "./in-band.ts";
import { RequestReader } from "./requests.ts";
import { SubscriptionSet, type SubscriptionSetParts } from "./subscription-set.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";

/** What connections are made with. */
export interface ConnectionParts extends SubscriptionSetParts, InBandParts {
  readonly limits: HubLimits;
  readonly clock: Clock;
  /** What is known of a peer at the transport. Never throws. */
  readonly identityOf: (peer: unknown) => PeerIdentity;
  /** Has what is queued written at the end of this turn. */
  readonly touch: (connection: Connection) => void;
  /** Told that the connection is gone. */
  readonly drop: (connection: Connection) => void;
}

/** Who a connection's peer is, and how it speaks. */
export interface ConnectionPeer {
  readonly level: 0 | 1;
  /** The viewer's fields as the handshake gave them. */
  readonly fields: readonly Field[];
  readonly peer?: unknown;
  /** As {@link Handshake.hasPositions}. */
  readonly hasPositions: boolean;
  /** As {@link Handshake.mayWrite}. */
  readonly mayWrite: boolean;
  /** The handshake's `Sec-Fetch-Site`: by it, as by `Origin`, applications tell forged requests. */
  readonly site: string | undefined;
}

/**
 * One peer on one transport. It is a cursor, not a queue: what it does not take is not kept for it, but read again from
 * the journal once it drains.
 */
export class Connection implements Outlet, TurnTaker {
  readonly address: string | undefined;
  readonly transport: Transport;
  readonly subscriptions: SubscriptionSet;
  isClosed = false;
  /** When the last bytes were written, by the clock. */
  lastSentAt: number;
  readonly #parts: ConnectionParts;
  readonly #peer: ConnectionPeer;
  readonly #claim: ByteClaim;
  /** What is written at the end of this turn: mostly one piece, rarely more. */
  #first: Uint8Array | undefined;
  #rest: Uint8Array[] | undefined;
  #pendingBytes = 0;
  #reader: RequestReader | undefined;
  #unfinished: UnfinishedMessage | undefined;
  #waiters: (() => void)[] | undefined;

  constructor(parts: ConnectionParts, transport: Transport, peer: ConnectionPeer) {
    this.#parts = parts;
    this.#peer = peer;
    this.transport = transport;
    this.address = parts.identityOf(peer.peer).address;
    this.#claim = parts.held.claim();
    this.lastSentAt = parts.clock.now();
    this.subscriptions = new SubscriptionSet(this, peer, parts);
  }

  /** Takes one message of the peer: text or bytes. Level 0 ignores it [R-L0-5]. */
  receive(data: Body): void {
    if (this.#peer.level === 0 || this.isClosed) return;
    this.#reader ??= this.#newReader();
    this.#reader.receive(data);
  }

  /** The transport's owner tells how many bytes it holds of a message that is not whole yet; 0 once it is [R-SEC-5]. */
  receiving(bytes: number): void {
    if (this.isClosed || (bytes === 0 && !this.#unfinished)) return;
    this.#unfinished ??= new UnfinishedMessage(this.#parts.clock, this.#parts.held);
    if (!this.#unfinished.hold(bytes)) this.close(4503, "The server holds as much for its peers as it may.");
  }

  /** Ends the connection where a message takes too long [R-SEC-5]. */
  endLate(): void {
    if (this.#reader?.isReading === false) this.#unfinished?.restart();
    else if (this.#unfinished?.isLate) this.close(1008, "A message takes at most 30 seconds.");
  }

  /** The transport's owner tells that everything written was taken. */
  drained(): void {
    this.#claim.record(this.#unsentBytes);
    this.#release();
  }

  /** The transport's owner tells that the peer is gone. Twice is fine. */
  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.subscriptions.endAll();
    this.#first = undefined;
    this.#rest = undefined;
    this.#pendingBytes = 0;
    this.#claim.release();
    this.#unfinished?.release();
    this.#reader?.stop();
    this.#wake();
    this.#parts.drop(this);
  }

  get framing(): Framing {
    return this.transport.framing;
  }

  get isCongested(): boolean {
    const { limits, held } = this.#parts;
    return this.#unsentBytes > (held.isFull ? Math.min(smallBytes, limits.maxUnsentBytes) : limits.maxUnsentBytes);
  }

  /** The connection, as an operator sees it. */
  get sight(): ConnectionSight {
    const { address, isCongested, subscriptions } = this;
    const unsentBytes = this.#unsentBytes;
    return { level: this.#peer.level, address, unsentBytes, isSlow: isCongested, subscriptions: subscriptions.sights };
  }

  hasRoomFor(bytes: number): boolean {
    return this.#unsentBytes + bytes <= this.#parts.limits.maxUnsentBytes;
  }

  async room(): Promise<void> {
    while (this.isCongested && !this.isClosed) await new Promise<void>((resolve) => this.#await(resolve));
  }

  send(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.#pendingBytes += bytes.length;
    this.#claim.record(this.#unsentBytes);
    if (this.#first) {
      this.#rest ??= [];
      this.#rest.push(bytes);
    } else {
      this.#first = bytes;
      this.#parts.touch(this);
    }
  }

  sendMessage(message: Message): void {
    if (this.#peer.level === 0) return;
    try {
      this.send(encodeMessage(message, this.framing));
    } catch (error) {
      this.#parts.reportError(error, "encode");
      this.close(1011, "An answer could not be written as a message.");
    }
  }

  /** Writes what was queued, at once. */
  flush(): void {
    if (!this.#first || this.isClosed) return;
    this.#write();
    if (this.#waiters || this.#reader) this.#release();
  }

  /** Sends a sign of life: a bookmark where that is true, otherwise a ping [R-HB-1]. */
  beat(): void {
    if (this.isCongested || this.subscriptions.sendBookmark()) return;
    this.lastSentAt = this.#parts.clock.now();
    this.transport.ping();
  }

  close(code: number, reason: string): void {
    if (this.isClosed) return;
    this.#write();
    this.transport.close(code, truncateReason(reason));
    this.closed();
  }

  get #unsentBytes(): number {
    return this.transport.unsentBytes + this.#pendingBytes;
  }

  #newReader(): RequestReader {
    const { limits, held, reportError } = this.#parts;
    const { fields, peer, mayWrite, site } = this.#peer;
    const requester = { outlet: this, fields, peer, mayWrite, site };
    const inBand = new InBand(this.subscriptions, requester, this.#parts);
    return new RequestReader({ limits, held, reportError, outlet: this, inBand, transport: this.transport });
  }

  #write(): void {
    if (!this.#first) return;
    const bytes = this.#rest ? joinBytes([this.#first, ...this.#rest]) : this.#first;
    this.#first = undefined;
    this.#rest = undefined;
    this.#pendingBytes = 0;
    this.lastSentAt = this.#parts.clock.now();
    this.transport.write(bytes);
    this.#claim.record(this.#unsentBytes);
  }

  #release(): void {
    if (this.isClosed || this.isCongested) return;
    this.#wake();
    this.#reader?.release();
  }

  #await(resolve: () => void): void {
    this.#waiters ??= [];
    this.#waiters.push(resolve);
  }

  #wake(): void {
    const waiters = this.#waiters;
    if (!waiters) return;
    this.#waiters = undefined;
    for (const resolve of waiters) resolve();
  }
}
