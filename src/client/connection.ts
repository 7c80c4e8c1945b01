import {
  decodeResponse,
  encodeRequest,
  type Field,
  fieldValue,
  type HttpResponse,
  isAtOrAfter,
  notificationKind,
  type Problem,
  ProtocolError,
  silenceMs,
  subprotocolName,
} from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import { type ClientClock, Timer } from "./clock.ts";
import type { Http } from "./http.ts";
import { isTransient, problemOf, retryAfterMs } from "./problem.ts";
import type { Following } from "./transport.ts";
import type { Socket, SocketEvents } from "./web-socket.ts";

/** How long a server has for the handshake, and then for its first message [R-L1-3]. */
const patienceMs = 10_000;

/** How a connection ended. */
export interface Ending {
  /** The WebSocket's close code. */
  readonly code: number;
  /** True once it was a connection of Level 1. */
  readonly wasReady: boolean;
  /** What the server said about it. */
  readonly problem?: Problem | undefined;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number;
}

/** What a connection needs. */
export interface ConnectionOptions {
  readonly clock: ClientClock;
  readonly http: Http;
  /** Opens a socket at the well-known URL. */
  readonly open: (protocols: string[], events: SocketEvents) => Socket;
  readonly onReady: (first: HttpResponse) => void;
  readonly onEnded: (ending: Ending) => void;
}

interface Entry {
  readonly following: Following;
  readonly backoff: Backoff;
  /** The server's name for it, from the answer to SUBSCRIBE on. */
  canonical: string | undefined;
  /** The position that the last SUBSCRIBE asked for. */
  asked: string | undefined;
  hasRenewed: boolean;
  isRenewal: boolean;
}

/** One WebSocket of Level 1 at the well-known URL, with all subscriptions in band. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #entries: Map<Following, Entry> = new Map();
  readonly #pending: Map<string, Entry> = new Map();
  /** What the server has subscribed here, by its own names. */
  readonly #subscribed: Set<string> = new Set();
  /** The number of the last UNSUBSCRIBE for each of those names. */
  readonly #unsubscribed: Map<string, number> = new Map();
  #isReady = false;
  #isOver = false;
  #requests = 0;
  #heardAt: number;
  #problem: HttpResponse | undefined;
  readonly #timer: Timer;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#timer = new Timer(options.clock);
    const wait = (): void => this.#timer.set(() => this.#end(1006), patienceMs);
    wait();
    this.#socket = options.open([subprotocolName], {
      opened: wait,
      received: (data) => this.#received(data),
      ended: (code) => this.#end(code),
    });
  }

  /** Follows a URL, as soon as the connection is ready. */
  add(following: Following): void {
    const entry: Entry = {
      following,
      backoff: new Backoff(this.#options.clock),
      canonical: undefined,
      asked: undefined,
      hasRenewed: false,
      isRenewal: false,
    };
    this.#entries.set(following, entry);
    if (this.#isReady) this.#subscribe(entry);
  }

  /** Follows a URL no more. */
  remove(following: Following): void {
    const entry = this.#entries.get(following);
    if (!entry) return;
    this.#entries.delete(following);
    entry.backoff.cancel();
    this.#unsubscribeUnused(entry.canonical);
  }

  /** Gives the server new credentials for each subscription, in place [R-BAND-5]. */
  renew(): void {
    for (const entry of this.#entries.values()) {
      if (entry.canonical !== undefined) this.#subscribe(entry, { isRenewal: true });
    }
  }

  /** Gives the connection up where it has been silent for too long, as after the machine slept. */
  check(): void {
    const now = this.#options.clock.now();
    // The clock was set back: how long it was silent is not known.
    if (now < this.#heardAt) this.#heardAt = now;
    const silentMs = now - this.#heardAt;
    if (silentMs >= silenceMs) this.#end(1006);
    else if (this.#isReady) this.#watch(silenceMs - silentMs);
  }

  /** Says good-bye; nothing more is heard. */
  close(): void {
    this.#finish();
    this.#socket.close();
  }

  #watch(ms: number): void {
    this.#timer.set(() => this.check(), ms);
  }

  #received(data: string | Uint8Array): void {
    this.#heardAt = this.#options.clock.now();
    try {
      const message = decodeResponse(data);
      if (this.#isReady) this.#route(message);
      else this.#first(message);
    } catch (error) {
      // Whatever it was, it came of what the server sent.
      const code = error instanceof ProtocolError ? error.closeCode : 1002;
      this.#socket.close(code);
      this.#end(code);
    }
  }

  /** A naive server echoes any subprotocol: only its first message tells [R-L1-3]. */
  #first(message: HttpResponse): void {
    const kind = notificationKind(message.status);
    if (kind === "enter" || kind === "change" || kind === "leave") {
      this.#end(1006);
      return;
    }
    if (kind === "problem") {
      this.#problem = message;
      return;
    }
    this.#isReady = true;
    this.#watch(silenceMs);
    for (const entry of this.#entries.values()) void this.#subscribe(entry);
    // Those that it adds are subscribed as they are added.
    this.#options.onReady(message);
  }

  #route(message: HttpResponse): void {
    const { fields } = message;
    const requestId = fieldValue(fields, "request-id");
    const canonical = fieldValue(fields, "subscription");
    if (requestId !== undefined) {
      const entry = this.#pending.get(requestId);
      this.#pending.delete(requestId);
      if (entry) this.#answered(entry, message, Number(requestId));
    } else if (canonical !== undefined) {
      for (const entry of this.#named(canonical)) this.#notified(entry, message);
    } else if (message.status === 304) this.#heartbeat(message);
    else this.#problem = message;
  }

  #named(canonical: string): Entry[] {
    return [...this.#entries.values()].filter((entry) => entry.canonical === canonical);
  }

  #heartbeat(message: HttpResponse): void {
    const eventId = fieldValue(message.fields, "event-id") ?? "";
    for (const { following } of this.#entries.values()) {
      const { sink } = following;
      // To those of another segment it tells no position, but that nothing is on its way.
      const isSame = isAtOrAfter(sink.position ?? "", eventId) !== undefined;
      if (sink.isCaughtUp) sink.take(isSame ? message : { ...message, fields: [] });
    }
  }

  #notified(entry: Entry, message: HttpResponse): void {
    if (notificationKind(message.status) === "problem") this.#refused(entry, message);
    else entry.following.sink.take(message);
  }

  async #subscribe(entry: Entry, { isRenewal = false, isFresh = false, isRefused = false } = {}): Promise<void> {
    const { following } = entry;
    try {
      const authorization = await this.#options.http.authorization(isRefused);
      if (this.#isOver || this.#entries.get(following) !== entry) return;
      const { position } = following.sink;
      entry.isRenewal = isRenewal;
      entry.asked = isFresh ? undefined : position;
      const fields: Field[] = [];
      if (entry.asked !== undefined && !isRenewal) fields.push(["Last-Event-ID", entry.asked]);
      if (authorization !== undefined) fields.push(["Authorization", authorization]);
      this.#request("SUBSCRIBE", following.target, fields, entry);
    } catch {
      // There are no credentials for now.
      this.#retry(entry, 0);
    }
  }

  #request(method: string, target: string, fields: readonly Field[], entry?: Entry): void {
    this.#requests += 1;
    const id = String(this.#requests);
    if (entry) this.#pending.set(id, entry);
    this.#socket.send(
      encodeRequest({ method, target, fields: [["Request-ID", id], ...fields] }) as string | Uint8Array<ArrayBuffer>,
    );
  }

  #unsubscribe(canonical: string): void {
    this.#request("UNSUBSCRIBE", canonical, []);
    this.#subscribed.delete(canonical);
    this.#unsubscribed.set(canonical, this.#requests);
  }

  #unsubscribeUnused(canonical: string | undefined): void {
    if (canonical === undefined || this.#isOver || this.#named(canonical).length > 0) return;
    this.#unsubscribe(canonical);
  }

  #answered(entry: Entry, message: HttpResponse, request: number): void {
    const { following } = entry;
    const { sink } = following;
    const canonical = fieldValue(message.fields, "subscription");
    if (canonical === undefined) {
      this.#refused(entry, message);
      return;
    }
    entry.hasRenewed = false;
    entry.backoff.reset();
    const isWanted = this.#entries.get(following) === entry;
    if (request < (this.#unsubscribed.get(canonical) ?? 0)) {
      // It was ended after this was asked, on behalf of somebody else.
      if (isWanted) void this.#subscribe(entry);
      return;
    }
    const wasSubscribed = this.#subscribed.has(canonical);
    this.#subscribed.add(canonical);
    if (!isWanted) {
      // Nobody wants it any more, unless somebody asked for the same again meanwhile.
      const isAsked = [...this.#pending.values()].some((other) => other.following.target === following.target);
      if (!isAsked) this.#unsubscribeUnused(canonical);
      return;
    }
    const isKnown = entry.canonical === canonical;
    entry.canonical = canonical;
    if (message.status !== 304) {
      for (const one of this.#named(canonical)) one.following.sink.take(message);
    } else if (entry.isRenewal && isKnown) return;
    else if (entry.asked !== undefined && fieldValue(message.fields, "event-id") === entry.asked) {
      sink.take(message);
      // Of a subscription that is there already, the position is told where it is caught up: no bookmark follows.
      if (wasSubscribed) sink.take(message);
    } else this.#subscribeAnew(entry, canonical);
  }

  /** The server has a subscription already, from another name or time: where it stands is not known to this entry. */
  #subscribeAnew(entry: Entry, canonical: string): void {
    entry.canonical = undefined;
    for (const { following } of this.#named(canonical)) following.sink.lost(false);
    this.#unsubscribe(canonical);
    void this.#subscribe(entry, { isFresh: true });
  }

  #refused(entry: Entry, message: HttpResponse): void {
    const { following, canonical } = entry;
    // A SUBSCRIBE that is refused leaves what was subscribed before as it is.
    const isOver = fieldValue(message.fields, "subscription") !== undefined;
    if (isOver && canonical !== undefined) this.#subscribed.delete(canonical);
    entry.canonical = undefined;
    if (this.#entries.get(following) !== entry) return;
    const { status } = message;
    if (status === 401 && !entry.hasRenewed) {
      entry.hasRenewed = true;
      following.sink.lost(false);
      void this.#subscribe(entry, { isRefused: true });
    } else if (isTransient(status)) this.#retry(entry, retryAfterMs(message, Date.now()));
    else {
      this.#entries.delete(following);
      if (!isOver) this.#unsubscribeUnused(canonical);
      following.sink.fail(problemOf(message));
    }
  }

  #retry(entry: Entry, leastMs: number): void {
    if (this.#isOver) return;
    entry.following.sink.lost(false);
    entry.backoff.wait(() => void this.#subscribe(entry), leastMs);
  }

  #end(code: number): void {
    if (this.#isOver) return;
    this.#finish();
    this.#socket.close();
    const problem = this.#problem;
    this.#options.onEnded({
      code: problem ? 4000 + problem.status : code,
      wasReady: this.#isReady,
      problem: problem && problemOf(problem),
      retryAfterMs: problem ? retryAfterMs(problem, Date.now()) : 0,
    });
  }

  #finish(): void {
    this.#isOver = true;
    this.#timer.cancel();
    for (const { backoff } of this.#entries.values()) backoff.cancel();
  }
}
