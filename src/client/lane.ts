import { type HttpResponse, type Problem, retryClass, wellKnownPath } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import { type ClientClock, Timer } from "./clock.ts";
import type { Fallback } from "./fallback.ts";
import type { Http } from "./http.ts";
import { isCutOff } from "./platform.ts";
import { isTransient, localProblem, problemOf, retryAfterMs } from "./problem.ts";
import type { PutOff } from "./put-off.ts";
import { Connection, type Ending } from "./socket-connection.ts";
import type { Sink } from "./transport.ts";
import { type findWebSocket, openSocket, type Socket, type SocketEvents } from "./web-socket.ts";

/** On a connection that lasted so long, credentials may be asked for once more. */
const renewableMs = 10_000;
/** After so long without a first message, a hint says what may be missing. */
const hintMs = 2_000;
/** How long a handshake may take until the client makes do without, and how long while it does. */
const handshakeMs = { before: 5_000, beside: 10_000 } as const;
/** After so long in another way the WebSocket is tried again; up to a half more. */
const retrySocketMs = 30_000;

/** What a lane needs. */
export interface LaneOptions {
  readonly clock: ClientClock;
  readonly http: Http;
  /** What opens WebSockets. */
  readonly findWebSocket: typeof findWebSocket;
  /** Told once, for a person, where no socket comes about. */
  readonly onHint: (text: string) => void;
  /** Told of each answer at the well-known URL, and of other servers' lack of it. */
  readonly onServer: (wellKnown: HttpResponse) => void;
  /** Told of what the server says of itself, ahead of what is followed here being asked for. */
  readonly onReady: (wellKnown: HttpResponse) => void;
  /**
   * Told of a URL that is refused here with a 429, though a GET of it is answered.
   *
   * @param count - how many subscriptions the connection has
   */
  readonly onFull: (sink: Sink, count: number) => void;
}

/** True where a server of Level 1 has no well-known URL here, as where it is not told of the base path [R-WK-5]. */
function isElsewhere({ status }: HttpResponse): boolean {
  return status >= 400 && ![401, 403].includes(status) && !isTransient(status);
}

/**
 * Follows URLs in the best way that there is: one WebSocket of Level 1 for all; on servers of the 2013 proposal one of
 * Level 0 for each; where sockets are blocked, streams, or GETs at intervals. It finds its way back.
 */
export class Lane {
  readonly #options: LaneOptions;
  /** What is followed, each with what ends it in the present way. */
  readonly #followings: Map<Sink, () => void> = new Map();
  readonly #backoff: Backoff;
  readonly #renewable: Timer;
  #connection: Connection | undefined;
  /** The other ways, once the socket could not be opened. */
  #fallback: Fallback | undefined;
  /** Looks at what the server does not take for now, beside the socket. */
  #putOff: PutOff | undefined;
  #hasRenewed = false;
  /** When the connection became ready; never, while it is not. */
  #readyAt: number = Number.POSITIVE_INFINITY;
  /** True once there was a message, or somebody was told that there is none. */
  #hasHinted = false;
  #isHinting = false;
  readonly #hint: Timer;
  /** True from an attempt that nobody answered to one that somebody did. */
  #isOffline = false;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
    this.#renewable = new Timer(options.clock);
    this.#hint = new Timer(options.clock);
  }

  get size(): number {
    return this.#followings.size;
  }

  get sinks(): Sink[] {
    return [...this.#followings.keys()];
  }

  has(sink: Sink): boolean {
    return this.#followings.has(sink);
  }

  /** True while other ways than the socket are used. */
  get isElsewhere(): boolean {
    return this.#fallback?.isUsed === true;
  }

  /** True while nobody knows yet which way there is. */
  get isBeginning(): boolean {
    return this.#readyAt === Number.POSITIVE_INFINITY && !this.isElsewhere;
  }

  /** Follows a URL. */
  add(sink: Sink): void {
    this.#begin(sink);
    if (!this.#connection && this.size === 1) this.#connect();
  }

  /** Follows it no more. */
  remove(sink: Sink): void {
    this.#putOff?.end(sink);
    this.#followings.get(sink)?.();
    this.#followings.delete(sink);
  }

  /** Asks for the whole of a URL that is followed here. */
  askAnew(sink: Sink): void {
    (this.isElsewhere ? this.#fallback : this.#connection)?.askAnew(sink);
  }

  /** The connection that takes requests, once one that is being made does; `undefined` where there is none. */
  async connected(): Promise<Connection | undefined> {
    const connection = this.isElsewhere ? undefined : this.#connection;
    return (await connection?.ready) ? connection : undefined;
  }

  /** Other credentials are to come: where they are cookies, by another handshake. */
  renew(): void {
    this.#hasRenewed = false;
    if (!this.#options.http.hasToken) this.#reopen();
  }

  /** Gives the server the credentials of now, for every subscription, in place. */
  giveCredentials(): void {
    this.#connection?.renew();
    this.#fallback?.renew();
  }

  /** Tries at once what waits; a connection that died meanwhile is given up. */
  wake(): void {
    if (this.#connection) this.#connection.check();
    else if (this.size > 0) {
      this.#backoff.reset();
      this.#connect();
    }
    this.#fallback?.wake();
  }

  /** Gives the connection up until `wake`, or for a while. */
  sleep(): void {
    this.#stop();
    this.#wait(true);
  }

  /** Follows nothing more. Twice is fine. */
  close(): void {
    this.#stop();
    this.#followings.clear();
    this.#hint.cancel();
    this.#isHinting = false;
    this.#fallback = undefined;
  }

  /** Says once what may be missing where no socket comes about. */
  #hintLater(): void {
    if (this.#hasHinted || this.#isHinting) return;
    this.#isHinting = true;
    this.#hint.set(() => {
      // The status says that, and the next connection is watched anew.
      this.#isHinting = !(this.#isOffline || isCutOff());
      if (!this.#isHinting) return;
      const url = this.#options.http.href(wellKnownPath).replace("http", "ws");
      const say = ({ hintAtSocket }: typeof import("./fallback.ts")): void => {
        if (this.#isHinting) this.#sayHint(hintAtSocket(url, hintMs));
      };
      import("./fallback.ts").then(say, () => {});
    }, hintMs);
  }

  #sayHint(text: string): void {
    if (!this.#hasHinted) this.#options.onHint(text);
    this.#hasHinted = true;
    this.#hint.cancel();
  }

  #stop(): void {
    this.#backoff.cancel();
    this.#connection?.close();
    this.#leave();
    this.#fallback?.stop();
  }

  /** The connection is over. */
  #leave(): void {
    this.#backoff.lasted(this.#options.clock.now() - this.#readyAt);
    this.#readyAt = Number.POSITIVE_INFINITY;
    this.#connection = undefined;
    this.#renewable.cancel();
    this.#putOff?.stop();
  }

  #open(path: string, protocols: string[], events: SocketEvents): Socket {
    const url = this.#options.http.href(path).replace("http", "ws");
    return openSocket(url, protocols, this.#options.findWebSocket, events);
  }

  #begin(sink: Sink): void {
    const way = this.isElsewhere ? this.#fallback : this.#connection;
    this.#followings.set(sink, way?.add(sink) ?? (() => {}));
  }

  #beginAll(): void {
    for (const sink of this.#followings.keys()) this.#begin(sink);
  }

  #connect(): void {
    this.#backoff.cancel();
    this.#hintLater();
    this.#connection = new Connection({
      ...this.#options,
      open: (protocols, events) => this.#open(wellKnownPath, protocols, events),
      onReady: (first) => this.#ready(first),
      onRefused: (sink, problem) => void this.#refused(sink, problem),
      onPutOff: (sink) => this.#refuse(sink),
      onAsked: (sink) => this.#putOff?.end(sink),
      onEnded: (ending) => void this.#ended(ending),
      handshakeMs: this.isElsewhere ? handshakeMs.beside : handshakeMs.before,
    });
    if (!this.isElsewhere) this.#beginAll();
  }

  #ready(first: HttpResponse): void {
    this.#readyAt = this.#options.clock.now();
    this.#hasHinted = true;
    this.#hint.cancel();
    this.#renewable.set(() => {
      this.#hasRenewed = false;
    }, renewableMs);
    const isBack = this.isElsewhere;
    this.#fallback?.stop();
    this.#fallback = undefined;
    if (isBack) this.#beginAll();
    if (isBack || this.#isOffline) this.#lost(false);
    this.#options.onReady(first);
  }

  async #ended({ code, wasReady, wasSilent, said, trouble }: Ending): Promise<void> {
    this.#leave();
    if (this.isElsewhere) {
      this.#retrySocketLater();
      return;
    }
    this.#lost(this.#isOffline);
    const retry = retryClass(code);
    if (!wasReady && (!said || isElsewhere(said) || retry === "retry")) await this.#probe(wasSilent, said);
    else if (retry === "credentials" && !this.#hasRenewed) {
      this.#hasRenewed = true;
      await this.#options.http.authorization(true).catch(() => {});
      this.#wait(false);
    } else if (retry === "retry") this.#wait(false, retryAfterMs(said), said);
    else {
      const reason = trouble
        ? `The client closed the connection with ${code}, since the server sent what is no message: ${trouble}.`
        : `The server ended the connection with ${code}.`;
      this.#fail(said ? problemOf(said) : localProblem(502, reason));
    }
  }

  /** Cookies go along with a handshake only: for others it takes another one. */
  #reopen(): void {
    if (this.isElsewhere) this.#fallback?.wake();
    else if (this.#connection) {
      this.#stop();
      this.#lost(false);
      this.#connect();
    }
  }

  /** A URL is refused. Where cookies say who asks, the page may have others by now than the handshake had. */
  async #refused(sink: Sink, problem: Problem): Promise<void> {
    const { http } = this.#options;
    const connection = this.#connection;
    const { status } = problem;
    const mayBeOld = !http.hasToken && !this.#hasRenewed && (status < 400 || status === 401 || status === 403);
    if (mayBeOld) {
      sink.lost(false);
      // A redirect to a page for signing in is no answer; browsers show it as 0.
      const answer = await http.ask(sink.target, { cache: "no-store", redirect: "manual" }).catch(() => undefined);
      // Whatever took that connection's place has asked anew.
      if (!this.#followings.has(sink) || connection !== this.#connection) return;
      if (answer && answer.status >= 200 && answer.status < 300) {
        this.#hasRenewed = true;
        this.#reopen();
        return;
      }
    }
    sink.fail(problem);
  }

  /** The socket could not be opened, and a browser doesn't say why: a GET tells what is there. */
  async #probe(wasSilent: boolean, said: HttpResponse | undefined): Promise<void> {
    const isOver = (): unknown => this.#followings.size === 0 || this.#connection || this.isElsewhere;
    const answer = await this.#options.http.ask(wellKnownPath, { cache: "no-store" }).catch(() => undefined);
    if (answer) this.#isOffline = false;
    // Loaded where it is needed, and where there is somebody to load it from: few pages ever do.
    const isThere = answer && !isTransient(answer.status);
    const code = isThere && !isOver() ? await import("./fallback.ts").catch(() => undefined) : undefined;
    if (isOver()) return;
    if (code)
      this.#fallback ??= new code.Fallback({
        ...this.#options,
        open: (path, events) => this.#open(path, [], events),
        onHint: (text) => this.#sayHint(text),
        onUnreachable: () => this.sleep(),
      });
    const problem = isThere && this.#fallback?.takeOver(answer, wasSilent);
    if (problem) this.#fail(problem);
    else if (this.isElsewhere) {
      this.#beginAll();
      this.#retrySocketLater();
    } else {
      const refusal = isThere ? said : answer;
      this.#wait(!answer, Math.max(retryAfterMs(said), retryAfterMs(answer)), refusal);
    }
  }

  /** Where there is a socket, and the server does not take a URL: few pages ever see that. */
  #refuse(sink: Sink): void {
    const begin = ({ PutOff: Made }: typeof import("./put-off.ts")): void => {
      // What else was refused meanwhile comes again, or has been asked for.
      if (this.#putOff) return;
      this.#putOff = new Made(this.#options);
      this.#putOff.refused(sink);
    };
    if (this.#putOff) this.#putOff.refused(sink);
    else import("./put-off.ts").then(begin, () => {});
  }

  #wait(isOffline: boolean, leastMs?: number, refusal?: HttpResponse): void {
    this.#lost(isOffline, refusal && problemOf(refusal));
    this.#backoff.cancel();
    if (this.#followings.size > 0) this.#backoff.wait(() => this.#connect(), leastMs);
  }

  #lost(isOffline: boolean, refusal?: Problem): void {
    this.#isOffline = isOffline;
    for (const sink of this.#followings.keys()) sink.lost(isOffline, refusal);
  }

  #fail(problem: Problem): void {
    for (const sink of this.sinks) sink.fail(problem);
  }

  #retrySocketLater(): void {
    this.#backoff.set(() => this.#connect(), retrySocketMs * (1 + 0.5 * this.#options.clock.random()));
  }
}
