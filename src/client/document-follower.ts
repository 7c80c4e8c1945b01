import {
  decodeResponse,
  fieldValue,
  type HttpResponse,
  heartbeatMs,
  isChange,
  itemsOfRule,
  type RecordRule,
  resolvePointer,
  retryClass,
} from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import type { ClientClock } from "./clock.ts";
import { guessOf, guessRecord, withGuess } from "./guess-items.ts";
import type { Http } from "./http.ts";
import { bodyJson, isTransient, localProblem, problemOf, retryAfterMs } from "./problem.ts";
import type { RowLooks } from "./row-looks.ts";
import { noUrl } from "./row-urls.ts";
import type { Sink } from "./transport.ts";
import type { Socket, SocketEvents } from "./web-socket.ts";

/** Milliseconds between two looks where nothing but looking is possible; each a fifth more or less. */
const pollMs = 5_000;
/** After so long a Level 0 socket that could not be opened is tried again. */
const retrySocketMs = 30_000;
/** A socket that lasted so long counts as stable. */
const stableMs = 10_000;
/** After so many in a row that ended sooner, it counts as one that could not be opened. */
const mostCuts = 2;
/** The first look waits so long for that socket, and no longer: where nothing comes of it, looking goes on. */
const handshakeMs = 2_000;
const caughtUp: HttpResponse = { status: 304, reason: "", fields: [], body: "" };

/** What following a document needs. */
export interface DocumentFollowerOptions {
  readonly sink: Sink;
  readonly clock: ClientClock;
  readonly http: Http;
  readonly looks: RowLooks;
  /** Opens a Level 0 socket at the URL; absent where sockets are blocked. */
  readonly open: ((events: SocketEvents) => Socket) | undefined;
  /** Called where the server can't be reached at all. */
  readonly onUnreachable: () => void;
}

/**
 * Follows one URL by its document: GETs it, and takes the changes of a Level 0 socket, opened before the GET
 * [R-L0-3]. Where there is no socket, it GETs again at intervals.
 */
export class DocumentFollower {
  readonly #options: DocumentFollowerOptions;
  readonly #backoff: Backoff;
  readonly #abort: AbortController = new AbortController();
  /** The one that is open. */
  #socket: Socket | undefined;
  /** One that is still opening, if it ever does. */
  #opening: Socket | undefined;
  #etag: string | undefined;
  /** Where the records are, where the server does not say. */
  #guess: RecordRule | undefined;
  #looks = 0;
  /** When the socket that is open was opened. */
  #openedAt = 0;
  /** How many sockets in a row were not stable. */
  #cuts = 0;
  /** When a Level 0 socket is tried again, after one that could not be opened. */
  #socketAt = 0;
  /** True once the document was looked at again, with nothing else to be heard. */
  #isSure = false;
  /** What came before the document; `undefined` once that is there. */
  #early: HttpResponse[] | undefined;

  constructor(options: DocumentFollowerOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
    this.#round();
  }

  /** Looks at once, through a new socket: one of Level 0 may have died without a sign. */
  wake(): void {
    if (this.#opening) this.#socketAt = 0;
    this.#closeSocket();
    this.#round();
  }

  /** Asks for the whole. */
  askAnew(): void {
    this.#etag = undefined;
    void this.#look(true);
  }

  /** Ends it. Twice is fine. */
  stop(): void {
    this.#abort.abort();
    this.#backoff.cancel();
    this.#closeSocket();
  }

  #closeSocket(): void {
    this.#socket?.close();
    this.#opening?.close();
    this.#socket = this.#opening = undefined;
  }

  #round(): void {
    this.#backoff.cancel();
    const { open, clock } = this.#options;
    const leftMs = this.#socketAt - clock.now();
    // More than that is left where the clock was set back.
    if (!open || (leftMs > 0 && leftMs <= retrySocketMs)) {
      void this.#look();
      return;
    }
    this.#closeSocket();
    const isFirst = this.#socketAt === 0;
    this.#socketAt = clock.now() + retrySocketMs;
    this.#open(open);
    if (isFirst) this.#backoff.set(() => void this.#look(), handshakeMs);
    else void this.#look();
  }

  #open(open: (events: SocketEvents) => Socket): void {
    const { clock } = this.#options;
    let hasOpened = false;
    const socket = open({
      opened: () => {
        hasOpened = true;
        this.#socketAt = 0;
        this.#opening = undefined;
        this.#socket = socket;
        this.#early = [];
        this.#openedAt = clock.now();
        this.#backoff.cancel();
        void this.#look();
      },
      received: (data) => this.#received(data),
      ended: (code) => this.#ended(code, hasOpened),
    });
    this.#opening = socket;
  }

  #ended(code: number, hasOpened: boolean): void {
    const { sink, clock } = this.#options;
    this.#looks += 1;
    this.#socket = this.#opening = undefined;
    this.#early = undefined;
    if (hasOpened && retryClass(code) !== "retry" && code !== 4401) {
      this.stop();
      sink.fail(localProblem(code > 4000 ? code - 4000 : 410, `The server ended it with ${code}.`));
      return;
    }
    if (hasOpened) {
      sink.lost(false);
      const lastedMs = clock.now() - this.#openedAt;
      this.#backoff.lasted(lastedMs);
      this.#cuts = lastedMs >= stableMs ? 0 : this.#cuts + 1;
    }
    if (!hasOpened || this.#cuts >= mostCuts) {
      this.#backoff.cancel();
      this.#socketAt = clock.now() + retrySocketMs;
      void this.#look();
    } else this.#again();
  }

  #again(leastMs?: number): void {
    if (!this.#abort.signal.aborted) this.#backoff.wait(() => this.#round(), leastMs);
  }

  /**
   * Level 0 has no bookmarks: its silence stands for them. Where a server tells differences of what it saw, the first
   * look may have met a state that lay between, and nothing would ever tell: so there is a second one.
   */
  #beat(): void {
    this.#backoff.set(() => {
      if (this.#isSure) this.#options.sink.take(caughtUp);
      else void this.#look();
      // Whoever was told may have ended it.
      if (this.#socket) this.#beat();
    }, heartbeatMs);
  }

  #received(data: string | Uint8Array): void {
    try {
      const message = decodeResponse(data);
      if (!isChange(message)) return;
      if (this.#early) this.#early.push(message);
      else {
        // What is being looked at beside it may be older.
        this.#looks += 1;
        this.#step(message);
      }
    } catch {
      this.#socket?.close();
      this.#ended(1006, true);
    }
  }

  /** The document as a 200 that says where its records are. */
  #snapshot({ fields, body }: HttpResponse): HttpResponse {
    const { sink, http } = this.#options;
    const message: HttpResponse = { status: 200, reason: "OK", fields, body };
    this.#guess = guessOf(message, sink.target, http.base.origin);
    return withGuess(message, this.#guess, sink.target, this.#haveUrls());
  }

  #haveUrls(): boolean {
    return this.#guess !== undefined && this.#options.looks.haveUrls(this.#guess, this.#options.sink.target);
  }

  /** Looks whether the rows of a document are at the URLs that were guessed, and says so then. */
  async #findUrls(message: HttpResponse): Promise<void> {
    const rule = this.#guess;
    const { sink, looks } = this.#options;
    if (!rule || this.#haveUrls()) return;
    const [row] = resolvePointer(bodyJson(message), itemsOfRule(rule, sink.target, false).list ?? "") as unknown[];
    const look = this.#looks;
    if (row === undefined || !(await looks.look(rule, sink.target, row)) || this.#abort.signal.aborted) return;
    if (look === this.#looks) {
      sink.take(this.#snapshot(message));
      sink.take(caughtUp);
    } else {
      // What is known is newer than this document by now.
      this.#etag = undefined;
      void this.#look();
    }
  }

  #step(message: HttpResponse): void {
    const { sink } = this.#options;
    this.#etag = undefined;
    const items = this.#guess && message.status !== 204 ? itemsOfRule(this.#guess, sink.target, false) : undefined;
    const body = items ? JSON.stringify(guessRecord(bodyJson(message), items, sink.target)) : message.body;
    // The server may not know yet what was found here.
    const fields = message.fields.map(([name, value]) => {
      const isName = this.#haveUrls() && name.toLowerCase() === "content-location";
      return [name, isName ? value.replace(noUrl, "/") : value] as const;
    });
    sink.take({ ...message, fields, body }, true);
  }

  /** @param isAnew - true where it is asked beside what comes */
  async #look(isAnew = false): Promise<void> {
    const { sink, http, clock, onUnreachable } = this.#options;
    const { signal } = this.#abort;
    this.#looks += 1;
    const look = this.#looks;
    const askedAt = clock.now();
    // After a lost connection the document may be the same, and the state not.
    const isKnown = this.#etag !== undefined && sink.isCaughtUp;
    const headers: Record<string, string> = { Accept: "application/json, */*;q=0.5" };
    if (isKnown && this.#etag) headers["If-None-Match"] = this.#etag;
    const message = await http.ask(sink.target, { headers, signal, cache: "no-store" }).catch(() => undefined);
    // What was asked for earlier, beside another socket, may be older than what is known by now.
    if (signal.aborted || look !== this.#looks) return;
    if (!message) {
      onUnreachable();
      if (signal.aborted) return;
      sink.lost(false);
      this.#again();
    } else {
      this.#lookedSafely(message, askedAt);
      // The server may tell differences of a state that lay between.
      this.#isSure &&= !isAnew;
    }
  }

  #lookedSafely(message: HttpResponse, askedAt: number): void {
    try {
      this.#looked(message, askedAt);
    } catch {
      this.stop();
      this.#options.sink.fail(localProblem(502, "The server's document can't be read."));
    }
  }

  #looked(message: HttpResponse, askedAt: number): void {
    const { sink, clock } = this.#options;
    const { status } = message;
    if (status === 304 || (status >= 200 && status < 300)) {
      this.#etag = fieldValue(message.fields, "etag") ?? (status === 304 ? this.#etag : undefined);
      sink.lookEvery(this.#socket ? undefined : pollMs);
      if (status !== 304) sink.take(this.#snapshot(message), false, askedAt);
      sink.take(caughtUp, false, askedAt);
      if (status !== 304) void this.#findUrls(message);
      const early = this.#early;
      this.#early = undefined;
      this.#isSure = !early;
      for (const one of early ?? []) this.#step(one);
      if (this.#socket) this.#beat();
      else if (!this.#abort.signal.aborted) {
        this.#backoff.reset();
        this.#backoff.set(() => this.#round(), pollMs * (0.8 + 0.4 * clock.random()));
      }
    } else if (isTransient(status)) {
      this.#closeSocket();
      sink.lost(false, problemOf(message));
      this.#again(retryAfterMs(message));
    } else {
      this.stop();
      sink.fail(problemOf(message));
    }
  }
}
