import {
  type Body,
  closeCodeForStatus,
  encodeResponse,
  type Field,
  reasonPhrase,
  truncateReason,
} from "../../protocol/index.ts";
import { type ByteClaim, smallBytes } from "../byte-budget.ts";
import { type Delivery, joinBytes } from "../delivery/delivery.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Transport } from "../ports/transport.ts";
import { CatchUp } from "./catch-up.ts";
import { RequestReader } from "./requests.ts";
import type { ConnectionCore, HubCore, Message, Subscription } from "./subscription.ts";
import { UnfinishedMessage } from "./unfinished-message.ts";

/** Who connects, and to what. */
export interface Handshake {
  /** 0: the proposal's messages. 1: `rocket.v1`. */
  readonly level: 0 | 1;
  /** The URL that was opened: path and query. */
  readonly target: string;
  /** The handshake's fields. */
  readonly fields: readonly Field[];
  /** Who the peer is at the transport: handed to the origin as it is, looked at by nobody else. */
  readonly peer?: unknown;
}

/**
 * One peer on one transport. It is a cursor, not a queue: what it does not take is not kept for it, but read again from
 * the journal once it drains.
 */
export class Connection implements ConnectionCore {
  readonly hub: HubCore;
  readonly level: 0 | 1;
  readonly transport: Transport;
  /** The viewer's fields as the handshake gave them. */
  readonly fields: readonly Field[];
  readonly peer: unknown;
  readonly address: string | undefined;
  own: Subscription | undefined;
  /** In-band subscriptions by canonical URL. */
  others: Map<string, Subscription> | undefined;
  isClosed = false;
  /** When the last bytes were written, by the clock. */
  lastSentAt: number;
  /** What is written at the end of this turn: mostly one piece, rarely more. */
  #first: Uint8Array | undefined;
  #rest: Uint8Array[] | undefined;
  #pendingBytes = 0;
  readonly #claim: ByteClaim;
  #catchUp: CatchUp | undefined;
  #reader: RequestReader | undefined;
  #unfinished: UnfinishedMessage | undefined;
  #waiters: (() => void)[] | undefined;
  #turns: Map<string, Promise<void>> | undefined;

  constructor(hub: HubCore, transport: Transport, level: 0 | 1, fields: readonly Field[], peer?: unknown) {
    this.hub = hub;
    this.transport = transport;
    this.level = level;
    this.fields = fields;
    this.peer = peer;
    this.address = hub.identityOf(peer).address;
    this.#claim = hub.held.claim();
    this.lastSentAt = hub.clock.now();
  }

  /** Takes one message of the peer: text or bytes. Level 0 ignores it [R-L0-5]. */
  receive(data: Body): void {
    if (this.level === 0 || this.isClosed) return;
    this.#reader ??= new RequestReader(this);
    this.#reader.receive(data);
  }

  /** The transport's owner tells how many bytes it holds of a message that is not whole yet; 0 once it is [R-SEC-5]. */
  receiving(bytes: number): void {
    if (this.isClosed || (bytes === 0 && !this.#unfinished)) return;
    this.#unfinished ??= new UnfinishedMessage(this.hub.clock, this.hub.held);
    if (!this.#unfinished.hold(bytes)) this.close(1013, "The server holds as much for its peers as it may.");
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
    for (const subscription of this.subscriptions()) this.#forget(subscription);
    this.#first = undefined;
    this.#rest = undefined;
    this.#pendingBytes = 0;
    this.#claim.release();
    this.#unfinished?.release();
    this.#catchUp?.stop();
    this.#reader?.stop();
    this.#wake();
    this.hub.drop(this);
  }

  /** All its subscriptions, the handshake's first. */
  subscriptions(): Subscription[] {
    const all = this.others ? [...this.others.values()] : [];
    if (this.own) all.unshift(this.own);
    return all;
  }

  find(url: string): Subscription | undefined {
    return this.own?.url === url ? this.own : this.others?.get(url);
  }

  /** True while more is unsent than one connection may hold: then it is parked [R-SUB-12]. */
  get isCongested(): boolean {
    const { limits, held } = this.hub;
    return this.#unsentBytes > (held.isFull ? Math.min(smallBytes, limits.maxUnsentBytes) : limits.maxUnsentBytes);
  }

  get #unsentBytes(): number {
    return this.transport.unsentBytes + this.#pendingBytes;
  }

  /** Resolves once the connection is not congested any more, or closed. */
  async room(): Promise<void> {
    while (this.isCongested && !this.isClosed) await new Promise<void>((resolve) => this.#await(resolve));
  }

  /** Runs `task` after those for the same URL that were given before it. One that fails ends the connection with 1011. */
  inTurn(url: string, task: () => Promise<void> | void): Promise<void> {
    // A journal's views have canonical URLs, known only once they are opened: so any two may be the same.
    const target = this.hub.journal ? "" : url;
    this.#turns ??= new Map();
    const turns = this.#turns;
    const before = turns.get(target);
    const run = async (): Promise<void> => {
      try {
        await task();
      } catch (error) {
        this.hub.reportError(error, "open");
        this.close(1011, "The subscription could not be opened.");
      }
      if (turns.get(target) === turn) turns.delete(target);
    };
    const turn = before ? before.then(run) : run();
    turns.set(target, turn);
    return turn;
  }

  /** True while some subscription that was caught up is behind: a bookmark would skip what it has not got [R-HB-4]. */
  get #hasBehind(): boolean {
    if (this.own?.caughtUp && this.own.state !== "live") return true;
    for (const { caughtUp, state } of this.others?.values() ?? []) if (caughtUp && state !== "live") return true;
    return false;
  }

  /** Queues framed bytes; they are written at the end of this turn. */
  send(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.#pendingBytes += bytes.length;
    this.#claim.record(this.#unsentBytes);
    if (this.#first) {
      this.#rest ??= [];
      this.#rest.push(bytes);
    } else {
      this.#first = bytes;
      this.hub.touch(this);
    }
  }

  /** Queues a message. A local mistake in it ends the connection with 1011. */
  sendMessage({ status, fields, body = "", frames }: Message): void {
    if (this.level === 0) return;
    try {
      const { framing } = this.transport;
      let frame = frames?.get(framing);
      if (!frame) {
        frame = framing.frame(encodeResponse({ status, reason: reasonPhrase(status), fields, body }));
        frames?.set(framing, frame);
      }
      this.send(frame);
    } catch (error) {
      this.hub.reportError(error, "encode");
      this.close(1011, "An answer could not be written as a message.");
    }
  }

  /** Writes what was queued, at once. */
  flush(): void {
    if (!this.#first || this.isClosed) return;
    this.#write();
    if (this.#waiters || this.#reader) this.#release();
  }

  #write(): void {
    if (!this.#first) return;
    const bytes = this.#rest ? joinBytes([this.#first, ...this.#rest]) : this.#first;
    this.#first = undefined;
    this.#rest = undefined;
    this.#pendingBytes = 0;
    this.lastSentAt = this.hub.clock.now();
    this.transport.write(bytes);
    this.#claim.record(this.#unsentBytes);
  }

  /** Gives a live subscription what its view produced, or parks it before that where there is no room. */
  deliver(subscription: Subscription, delivery: Delivery): void {
    const { view } = subscription;
    if (this.isCongested) {
      this.#park(subscription, delivery.from);
      return;
    }
    const { chunks, bytes } = delivery.encoded(subscription.form, this.transport.framing);
    if (chunks.length > 1 && this.#unsentBytes + bytes > this.hub.limits.maxUnsentBytes) {
      if (view) this.hub.keep(view, delivery, bytes);
      this.#park(subscription, delivery.from);
      return;
    }
    for (const chunk of chunks) this.send(chunk.bytes);
    if (view?.record !== undefined && delivery.notifications.at(-1)?.status === 204) this.endGone(subscription);
  }

  /** As `deliver`, to a subscription of a derived view: it has no position to go on from, only the document. */
  deliverDerived(subscription: Subscription, delivery: Delivery): void {
    const { derived } = subscription;
    if (!derived) return;
    if (this.isCongested) {
      this.#park(subscription, 0);
      return;
    }
    const { chunks } = delivery.encoded(subscription.form, this.transport.framing);
    for (const chunk of chunks) this.send(chunk.bytes);
    subscription.standing = derived.eventId;
  }

  /** Has a subscription go on from `cursor` when there is room. */
  #park(subscription: Subscription, cursor: number): void {
    subscription.leave();
    subscription.state = "behind";
    subscription.cursor = cursor;
    subscription.epoch = this.hub.epoch;
    this.catchUp(subscription);
  }

  catchUp(subscription: Subscription): void {
    this.#catchUp ??= new CatchUp(this);
    this.#catchUp.add(subscription);
  }

  /**
   * Tells a subscription that just went live that it is caught up. The handshake's own bookmark speaks for all that are
   * caught up, so it waits for those that fell behind.
   */
  settle(subscription: Subscription): void {
    if (!subscription.isOwn) this.#sendBookmarkOf(subscription);
    this.#settleOwn();
  }

  #settleOwn(): void {
    const { own } = this;
    if (own?.state === "live" && !this.#hasBehind) this.#sendBookmarkOf(own);
  }

  #sendBookmarkOf(subscription: Subscription): void {
    subscription.caughtUp = true;
    if (!subscription.owesBookmark) return;
    subscription.owesBookmark = false;
    this.sendMessage({ status: 304, fields: [...subscription.bookmark, ...subscription.labels] });
  }

  /** Sends a sign of life: a bookmark where that is true, otherwise a ping [R-HB-1]. */
  beat(): void {
    if (this.isCongested || this.sendBookmark()) return;
    this.lastSentAt = this.hub.clock.now();
    this.transport.ping();
  }

  /** Sends a bookmark for all that are caught up, at Level 1 and where it says no more than is true [R-HB-2, R-HB-4]. */
  sendBookmark(): boolean {
    const isTrue = (!this.own || this.own.caughtUp) && !this.#hasBehind;
    if (this.level === 0 || !isTrue) return false;
    const { journal, bookmark } = this.hub;
    const position: readonly Field[] = journal ? [["Event-ID", bookmark.eventId]] : [];
    this.sendMessage({ status: 304, fields: this.own?.bookmark ?? position });
    return true;
  }

  /** Ends a subscription whose record is gone: its 204 was sent [R-SUB-9]. */
  endGone(subscription: Subscription): void {
    this.remove(subscription);
    if (subscription.isOwn && !this.others?.size) this.close(1000, "The record is gone.");
  }

  /** Ends a subscription with a problem or a redirect [R-SUB-10]. */
  endRefused(
    subscription: Subscription,
    refusal: OriginResponse,
    labels: readonly Field[] = subscription.labels,
  ): void {
    // Told first: a bookmark that waited for this subscription would speak for it, too.
    this.sendMessage({ ...refusal, fields: [...refusal.fields, ...labels] });
    this.remove(subscription);
    if (subscription.isOwn && !this.others?.size) {
      this.close(closeCodeForStatus(refusal.status), reasonPhrase(refusal.status));
    }
  }

  /** Takes a subscription off; nothing more comes for it. */
  remove(subscription: Subscription): void {
    if (subscription === this.own) this.own = undefined;
    else if (subscription.url !== undefined && this.others?.get(subscription.url) === subscription) {
      this.others.delete(subscription.url);
    }
    this.#forget(subscription);
    this.#settleOwn();
  }

  /** Writes what was queued, then says good-bye. */
  close(code: number, reason: string): void {
    if (this.isClosed) return;
    this.#write();
    this.transport.close(code, truncateReason(reason));
    this.closed();
  }

  #forget(subscription: Subscription): void {
    subscription.leave();
    this.hub.part(subscription);
    subscription.state = "ended";
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
