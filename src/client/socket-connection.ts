import {
  type Body,
  decodeResponse,
  encodeRequest,
  type Field,
  fieldValue,
  type HttpResponse,
  isAtOrAfter,
  isChange,
  isProblem,
  mergePatchType,
  type Problem,
  ProtocolError,
  type RequestToEncode,
  silenceMs,
  subprotocolName,
} from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import { type ClientClock, Timer } from "./clock.ts";
import type { Http } from "./http.ts";
import { isTransient, problemOf, retryAfterMs } from "./problem.ts";
import { makesPromise } from "./promises.ts";
import type { Sink } from "./transport.ts";
import type { Socket, SocketEvents } from "./web-socket.ts";

/** How long a server has for its first message, once the socket is open [R-L1-3]. */
const patienceMs = 10_000;

/** How a connection ended. */
export interface Ending {
  /** The WebSocket's close code, or that of what the server said. */
  readonly code: number;
  /** True once it was a connection of Level 1. */
  readonly wasReady: boolean;
  /** True where it was given up before that, since nothing came of it: no handshake, or no message. */
  readonly wasSilent: boolean;
  /** What the server said about it. */
  readonly said: HttpResponse | undefined;
  /** What was wrong with what the server sent, where that is why the client closed it. */
  readonly trouble: string | undefined;
}

/** What a connection needs. */
export interface ConnectionOptions {
  readonly clock: ClientClock;
  readonly http: Http;
  /** Opens a socket at the well-known URL. */
  readonly open: (protocols: string[], events: SocketEvents) => Socket;
  /** Told of the server's first message, ahead of what is followed being asked for. */
  readonly onReady: (first: HttpResponse) => void;
  /** Told of a URL that the server refuses; it is followed here no more. */
  readonly onRefused: (sink: Sink, problem: Problem) => void;
  /** Told of a URL that is refused with a 429, though a GET of it is answered, and how many subscriptions there are. */
  readonly onFull: (sink: Sink, count: number) => void;
  /** Told of a URL that the server refuses for a while, each time, and of each time that it is asked for. */
  readonly onPutOff: (sink: Sink) => void;
  readonly onAsked: (sink: Sink) => void;
  /** Told once of the end. */
  readonly onEnded: (ending: Ending) => void;
  /** How long the handshake may take. */
  readonly handshakeMs: number;
}

interface Entry {
  readonly sink: Sink;
  readonly backoff: Backoff;
  /** When the server took it last; never, since it was refused. */
  takenAt: number;
  /** The server's name for it, from the answer to SUBSCRIBE on. */
  canonical?: string | undefined;
  /** The credentials that it was asked for with last. */
  authorization?: string | undefined;
  /** True once the server refused credentials, until it takes others. */
  isRefused?: boolean;
  /** True once a delta was not for what is known: it asks for none any more. */
  isMisfit?: boolean;
}

/** Why a SUBSCRIBE is sent again: with other credentials, which may have been refused, to begin anew, or for the whole. */
type Reason = "renewal" | "refused" | "anew" | "whole";

/** A SUBSCRIBE that is not answered yet. */
interface Asked {
  readonly entry: Entry;
  readonly reason: Reason | undefined;
  /** The position that it resumes from. */
  readonly position: string | undefined;
  /** When it was sent. */
  readonly at: number;
}

/** One WebSocket of Level 1 at the well-known URL, with all subscriptions in band. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #timer: Timer;
  readonly #entries: Set<Entry> = new Set();
  readonly #pending: Map<string, Asked> = new Map();
  /** What the server has subscribed here, by its own names. */
  readonly #subscribed: Set<string> = new Set();
  /** The number of the last UNSUBSCRIBE for each of those names. */
  readonly #unsubscribed: Map<string, number> = new Map();
  /** Whom plain requests are answered to, by their ids. */
  readonly #asked: Map<string, (answer?: HttpResponse) => void> = new Map();
  /** Resolves with true once requests are taken, with false where it has ended before. */
  readonly ready: Promise<boolean>;
  #settle: (isReady: boolean) => void = () => {};
  /** What the server said at the well-known URL, once it is ready. */
  wellKnown: HttpResponse | undefined;
  #isReady = false;
  /** Whether the server knows who asks for deltas. Others would hand the wish on to the application [R-DELTA-5]. */
  #hasDeltas = false;
  #isOver = false;
  #requests = 0;
  #heardAt: number;
  /** What the server said before the end. */
  #said: HttpResponse | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
    this.#timer = new Timer(options.clock);
    this.ready = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const wait = (ms: number): void => this.#timer.set(() => this.#end({ code: 1006, wasSilent: true }), ms);
    wait(options.handshakeMs);
    this.#socket = options.open([subprotocolName], {
      opened: () => wait(patienceMs),
      received: (data) => this.#received(data),
      ended: (code) => this.#end({ code }),
    });
  }

  /** Follows a URL, as soon as the connection is ready. Returns a function that ends it. */
  add(sink: Sink): () => void {
    const entry: Entry = { sink, backoff: new Backoff(this.#options.clock), takenAt: Number.POSITIVE_INFINITY };
    sink.lookEvery(undefined);
    this.#entries.add(entry);
    if (this.#isReady) void this.#subscribe(entry);
    return () => {
      entry.backoff.cancel();
      if (this.#entries.delete(entry)) this.#unsubscribeUnused(entry.canonical);
    };
  }

  /** Asks for the whole of a subscription that is there [R-BAND-5]. */
  askAnew(sink: Sink): void {
    for (const entry of this.#entries)
      if (entry.sink === sink && entry.canonical !== undefined) void this.#subscribe(entry, "whole");
  }

  /** Gives the server new credentials for each subscription, in place [R-BAND-5]. */
  renew(): void {
    for (const entry of this.#entries) if (entry.canonical !== undefined) void this.#subscribe(entry, "renewal");
  }

  /** Sends a plain request. Resolves with the answer, or with nothing where the connection ends before [R-BAND-12]. */
  ask({ method, target, fields, body }: RequestToEncode): Promise<HttpResponse | undefined> {
    return new Promise((resolve) => {
      if (this.#isOver) resolve(undefined);
      else this.#asked.set(this.#request(method, target, fields, undefined, body), resolve);
    });
  }

  /** Gives the connection up where it has been silent for too long, as after the machine slept. */
  check(): void {
    const now = this.#options.clock.now();
    // The clock was set back: how long it was silent is not known.
    if (now < this.#heardAt) this.#heardAt = now;
    const leftMs = this.#heardAt + silenceMs - now;
    if (leftMs <= 0) this.#end({ code: 1006 });
    else if (this.#isReady) this.#timer.set(() => this.check(), leftMs);
  }

  /** Says good-bye; nothing more is heard. */
  close(): void {
    this.#isOver = true;
    this.#timer.cancel();
    for (const { backoff } of this.#entries) backoff.cancel();
    this.#settle(false);
    for (const answer of this.#asked.values()) answer();
    this.#socket.close();
  }

  #end({ code, wasSilent = false, trouble }: Pick<Ending, "code"> & Partial<Ending>): void {
    if (this.#isOver) return;
    this.close();
    const said = this.#said;
    this.#options.onEnded({
      code: said ? 4000 + said.status : code,
      wasReady: this.#isReady,
      wasSilent,
      said,
      trouble,
    });
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
      this.#end({ code, trouble: error instanceof ProtocolError ? error.message : "it can't be taken in" });
    }
  }

  /** A naive server echoes any subprotocol: only its first message tells [R-L1-3]. */
  #first(message: HttpResponse): void {
    if (isChange(message)) this.#end({ code: 1006 });
    else if (isProblem(message)) this.#said = message;
    else {
      this.wellKnown = message;
      this.#hasDeltas = makesPromise(message, "merge-patch");
      this.#options.onReady(message);
      // Unless whoever was told has closed it.
      if (this.#isOver) return;
      this.#isReady = true;
      this.#settle(true);
      this.check();
      for (const entry of this.#entries) void this.#subscribe(entry);
    }
  }

  #route(message: HttpResponse): void {
    const { fields } = message;
    const requestId = fieldValue(fields, "request-id");
    const canonical = fieldValue(fields, "subscription");
    const answer = this.#asked.get(requestId ?? "");
    if (answer) {
      this.#asked.delete(requestId as string);
      answer(message);
    } else if (requestId !== undefined) {
      const asked = this.#pending.get(requestId);
      this.#pending.delete(requestId);
      if (asked && canonical !== undefined) this.#answered(asked, message, canonical);
      // What is there goes on, and says itself where it ends.
      else if (asked && asked.reason !== "whole") this.#refused(asked.entry, message);
    } else if (canonical !== undefined) {
      const entries = this.#named(canonical);
      if (isProblem(message)) for (const entry of entries) this.#refused(entry, message);
      else if (!entries.every(({ sink }) => sink.take(message))) this.#askForWholes(canonical);
    } else if (message.status === 304) this.#heartbeat(message);
    else this.#said = message;
  }

  #named(canonical: string): Entry[] {
    return [...this.#entries].filter((entry) => entry.canonical === canonical);
  }

  #heartbeat(message: HttpResponse): void {
    const eventId = fieldValue(message.fields, "event-id") ?? "";
    for (const { sink, canonical } of this.#entries) {
      // It says nothing of what is looked at by GETs.
      if (canonical === undefined) continue;
      // To those of another segment it tells no position, but that nothing is on its way.
      const isSame = isAtOrAfter(sink.position ?? "", eventId) !== undefined;
      if (sink.isCaughtUp) sink.take(isSame ? message : { ...message, fields: [] });
    }
  }

  async #subscribe(entry: Entry, reason?: Reason): Promise<void> {
    const { sink } = entry;
    try {
      const refused = reason === "refused" && (entry.authorization ?? true);
      const authorization = await this.#options.http.authorization(refused);
      entry.authorization = authorization;
      if (this.#isOver || !this.#entries.has(entry)) return;
      this.#options.onAsked(sink);
      const position = reason === "anew" || reason === "whole" ? undefined : sink.position;
      const fields: Field[] = reason === "whole" ? [["Cache-Control", "no-cache"]] : [];
      if (position !== undefined && reason !== "renewal") fields.push(["Last-Event-ID", position]);
      if (authorization !== undefined) fields.push(["Authorization", authorization]);
      if (this.#hasDeltas && !entry.isMisfit) fields.push(["Accept", mergePatchType]);
      const at = this.#options.clock.now();
      this.#request("SUBSCRIBE", sink.target, fields, { entry, reason, position, at });
    } catch {
      // There are no credentials for now.
      if (this.#isOver || !this.#entries.has(entry)) return;
      sink.lost(false);
      this.#retry(entry);
    }
  }

  #request(method: string, target: string, fields: readonly Field[] = [], asked?: Asked, body: Body = ""): string {
    this.#requests += 1;
    const id = String(this.#requests);
    if (asked) this.#pending.set(id, asked);
    this.#socket.send(encodeRequest({ method, target, fields: [["Request-ID", id], ...fields], body }));
    return id;
  }

  #unsubscribe(canonical: string): void {
    this.#request("UNSUBSCRIBE", canonical);
    this.#subscribed.delete(canonical);
    this.#unsubscribed.set(canonical, this.#requests);
  }

  #unsubscribeUnused(canonical: string | undefined): void {
    if (canonical !== undefined && !this.#isOver && this.#named(canonical).length === 0) this.#unsubscribe(canonical);
  }

  #answered({ entry, reason, position, at }: Asked, message: HttpResponse, canonical: string): void {
    const { sink } = entry;
    const { fields, status } = message;
    entry.isRefused = false;
    entry.takenAt = this.#options.clock.now();
    const isWanted = this.#entries.has(entry);
    if (Number(fieldValue(fields, "request-id")) < (this.#unsubscribed.get(canonical) ?? 0)) {
      // It was ended after this was asked, on behalf of somebody else.
      if (isWanted) void this.#subscribe(entry);
      return;
    }
    const wasSubscribed = this.#subscribed.has(canonical);
    this.#subscribed.add(canonical);
    if (!isWanted) {
      // Nobody wants it any more, unless somebody asked for the same again meanwhile.
      const isAsked = [...this.#pending.values()].some((other) => other.entry.sink.target === sink.target);
      if (!isAsked) this.#unsubscribeUnused(canonical);
      return;
    }
    const isKnown = entry.canonical === canonical;
    // By GETs: what is told from here on is marked anew.
    if (entry.canonical === undefined && sink.isCaughtUp && status === 304) sink.lost(false);
    sink.lookEvery(undefined);
    entry.canonical = canonical;
    if (status !== 304) for (const one of this.#named(canonical)) one.sink.take(message, false, at);
    else if (reason === "renewal" && isKnown) return;
    else if (position !== undefined && fieldValue(fields, "event-id") === position) {
      sink.take(message);
      // Of a subscription that is there already, the position is told where it is caught up: no bookmark follows.
      if (wasSubscribed) sink.take(message);
    } else this.#subscribeAnew(entry, canonical);
  }

  /** The server has a subscription already, from another name or time: where it stands is not known to this entry. */
  #subscribeAnew(entry: Entry, canonical: string): void {
    entry.canonical = undefined;
    for (const one of this.#named(canonical)) one.sink.lost(false);
    this.#unsubscribe(canonical);
    void this.#subscribe(entry, "anew");
  }

  /** Resumes where it was before a delta that is not for what is known: what comes then are whole records [R-DELTA-8]. */
  #askForWholes(canonical: string): void {
    const entries = this.#named(canonical);
    for (const entry of entries) {
      entry.canonical = undefined;
      entry.isMisfit = true;
      entry.sink.lost(false);
    }
    this.#unsubscribe(canonical);
    for (const entry of entries) void this.#subscribe(entry);
  }

  #refused(entry: Entry, message: HttpResponse): void {
    const { canonical, sink } = entry;
    // A SUBSCRIBE that is refused leaves what was subscribed before as it is.
    const isOver = fieldValue(message.fields, "subscription") !== undefined;
    if (isOver && canonical !== undefined) this.#subscribed.delete(canonical);
    // By GETs.
    const isShown = canonical === undefined && sink.isCaughtUp;
    entry.canonical = undefined;
    if (!this.#entries.has(entry)) return;
    // It would take room, and nobody would hear what comes of it.
    if (!isOver) this.#unsubscribeUnused(canonical);
    const { status } = message;
    if (isShown && status === 429) this.#options.onFull(sink, this.#subscribed.size);
    if (!this.#entries.has(entry)) return;
    if (this.#options.http.hasToken && status === 401 && !entry.isRefused) {
      entry.isRefused = true;
      sink.lost(false);
      void this.#subscribe(entry, "refused");
    } else if (isTransient(status)) {
      if (!isShown) sink.lost(false, problemOf(message));
      entry.backoff.lasted(this.#options.clock.now() - entry.takenAt);
      entry.takenAt = Number.POSITIVE_INFINITY;
      this.#retry(entry, retryAfterMs(message));
      this.#options.onPutOff(sink);
    } else {
      this.#entries.delete(entry);
      this.#options.onRefused(sink, problemOf(message));
    }
  }

  #retry(entry: Entry, leastMs?: number): void {
    entry.backoff.wait(() => void this.#subscribe(entry), leastMs);
  }
}
