import { fieldValue, type HttpResponse, type Problem, retryClass, wellKnownPath } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import { type ClientClock, Timer } from "./clock.ts";
import type { Fallback } from "./fallback.ts";
import type { Http } from "./http.ts";
import { isCutOff } from "./platform.ts";
import { isTransient, localProblem, problemOf, retryAfterMs } from "./problem.ts";
import { Renewal } from "./renewal.ts";
import { Connection, type Ending } from "./socket-connection.ts";
import type { Sink, Transport } from "./transport.ts";
import { type findWebSocket, openSocket, type Socket, type SocketEvents } from "./web-socket.ts";

/** A connection that lasted so long counts as stable [R-CLOSE-5]. */
const stableMs = 10_000;
/** After so long without a first message, a hint says what may be missing. */
const hintMs = 2_000;
/** How long a handshake may take until the client makes do without, and how long while it does. */
const handshakeMs = { before: 5_000, beside: 10_000 } as const;
/** After so long in another way the WebSocket is tried again; up to a half more. */
const retrySocketMs = 30_000;

/** What the way to an origin needs. */
export interface OriginTransportOptions {
  readonly clock: ClientClock;
  readonly http: Http;
  /** Whether the first rows are asked for beside the socket. */
  readonly asksEarly: boolean;
  /** What opens WebSockets. */
  readonly findWebSocket: typeof findWebSocket;
  /** Told once, for a person, where no socket comes about. */
  readonly onHint: (text: string) => void;
  /** Told of each answer at the well-known URL, and of other servers' lack of it. */
  readonly onServer: (wellKnown: HttpResponse) => void;
}

/** True where a server of Level 1 has no well-known URL here, as where it is not told of the base path [R-WK-5]. */
function isElsewhere({ status }: HttpResponse): boolean {
  return status >= 400 && ![401, 403].includes(status) && !isTransient(status);
}

/**
 * Follows URLs of one origin in the best way that there is: one WebSocket of Level 1 for all; on servers of the 2013
 * proposal one of Level 0 for each; where sockets are blocked, streams, or GETs at intervals. It finds its way back.
 */
export class OriginTransport implements Transport {
  readonly #options: OriginTransportOptions;
  /** What is followed, each with what ends it in the present way. */
  readonly #followings: Map<Sink, () => void> = new Map();
  readonly #backoff: Backoff;
  readonly #stable: Timer;
  readonly #renewal: Renewal;
  #connection: Connection | undefined;
  /** The other ways, once the socket could not be opened. */
  #fallback: Fallback | undefined;
  #hasRenewed = false;
  #isReady = false;
  /** True once there was a message, or somebody was told that there is none. */
  #hasHinted = false;
  #isHinting = false;
  readonly #hint: Timer;
  /** True from an attempt that nobody answered to one that somebody did. */
  #isOffline = false;

  constructor(options: OriginTransportOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
    this.#stable = new Timer(options.clock);
    this.#renewal = new Renewal(options.clock, () => this.renew());
    options.http.onToken = () => this.#watchToken();
    this.#hint = new Timer(options.clock);
  }

  follow(sink: Sink): () => void {
    this.#begin(sink);
    if (this.#options.asksEarly && !this.#isReady && !this.#fallback?.isUsed && !sink.hasState)
      void this.#askEarly(sink);
    if (!this.#connection && this.#followings.size === 1) this.#connect();
    return () => {
      this.#followings.get(sink)?.();
      this.#followings.delete(sink);
      if (this.#followings.size === 0) this.close();
    };
  }

  askAnew(sink: Sink): void {
    (this.#fallback?.isUsed ? this.#fallback : this.#connection)?.askAnew(sink);
  }

  /** The connection that takes requests, once one that is being made does; `undefined` where there is none. */
  async connected(): Promise<Connection | undefined> {
    const connection = this.#fallback?.isUsed ? undefined : this.#connection;
    return (await connection?.ready) ? connection : undefined;
  }

  renew(): void {
    this.#hasRenewed = false;
    if (!this.#options.http.hasToken) this.#reopen();
    void this.#options.http.authorization(true).then(
      () => {
        this.#connection?.renew();
        this.#fallback?.renew();
      },
      () => {},
    );
  }

  /** Tries at once what waits; a connection that died meanwhile is given up. */
  wake(): void {
    if (this.#connection) this.#connection.check();
    else if (this.#followings.size > 0) {
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

  close(): void {
    this.#stop();
    this.#hint.cancel();
    this.#renewal.cancel();
    this.#isHinting = false;
    this.#fallback = undefined;
  }

  #watchToken(): void {
    if (this.#followings.size > 0) this.#renewal.watch(this.#options.http.tokenEndsAt);
  }

  /** The first rows don't wait for the socket: they are asked for beside it. */
  async #askEarly(sink: Sink): Promise<void> {
    try {
      const answer = await this.#options.http.ask(sink.target, { cache: "no-store" });
      const isSaid = fieldValue(answer.fields, "items") !== undefined;
      const guess = isSaid ? undefined : await import("./guess-items.ts");
      const said = guess ? guess.surelyGuessed(answer, sink.target, this.#options.http.base.origin) : answer;
      if (said && this.#followings.has(sink)) sink.early(said);
    } catch {
      // The socket will tell.
    }
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
      this.#sayHint(
        `No message has come through ${url} within ${hintMs / 1_000} s. Is it a Rocket server, and does all that stands in front of it let WebSockets to that path through, from this page's origin? Until then the client makes do without, as its status says.`,
      );
    }, hintMs);
  }

  #sayHint(text: string): void {
    if (!this.#hasHinted) this.#options.onHint(text);
    this.#hasHinted = true;
    this.#hint.cancel();
  }

  #stop(): void {
    this.#isReady = false;
    this.#backoff.cancel();
    this.#stable.cancel();
    this.#connection?.close();
    this.#connection = undefined;
    this.#fallback?.stop();
  }

  #open(path: string, protocols: string[], events: SocketEvents): Socket {
    const url = this.#options.http.href(path).replace("http", "ws");
    return openSocket(url, protocols, this.#options.findWebSocket, events);
  }

  #begin(sink: Sink): void {
    const way = this.#fallback?.isUsed ? this.#fallback : this.#connection;
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
      onEnded: (ending) => void this.#ended(ending),
      handshakeMs: this.#fallback?.isUsed ? handshakeMs.beside : handshakeMs.before,
    });
    if (!this.#fallback?.isUsed) this.#beginAll();
  }

  #ready(first: HttpResponse): void {
    this.#isReady = true;
    this.#watchToken();
    this.#hasHinted = true;
    this.#hint.cancel();
    this.#stable.set(() => {
      this.#backoff.reset();
      this.#hasRenewed = false;
    }, stableMs);
    this.#options.onServer(first);
    const isBack = this.#fallback?.isUsed;
    this.#fallback?.stop();
    this.#fallback = undefined;
    if (isBack) this.#beginAll();
    if (isBack || this.#isOffline) this.#lost(false);
  }

  async #ended({ code, wasReady, wasSilent, said, trouble }: Ending): Promise<void> {
    this.#stable.cancel();
    this.#isReady = false;
    this.#connection = undefined;
    if (this.#fallback?.isUsed) {
      this.#retrySocketLater();
      return;
    }
    this.#lost(this.#isOffline);
    const retry = retryClass(code);
    if (!wasReady && (!said || isElsewhere(said))) await this.#probe(wasSilent);
    else if (retry === "credentials" && !this.#hasRenewed) {
      this.#hasRenewed = true;
      await this.#options.http.authorization(true).catch(() => {});
      this.#wait(false);
    } else if (retry === "retry") this.#wait(false, retryAfterMs(said));
    else {
      const reason = trouble
        ? `The client closed the connection with ${code}, since the server sent what is no message: ${trouble}.`
        : `The server ended the connection with ${code}.`;
      this.#fail(said ? problemOf(said) : localProblem(502, reason));
    }
  }

  /** Cookies go along with a handshake only: for others it takes another one. */
  #reopen(): void {
    if (this.#fallback?.isUsed) this.#fallback.wake();
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
    const mayBeOld = !http.hasToken && !this.#hasRenewed && (problem.status === 401 || problem.status === 403);
    if (mayBeOld) {
      sink.lost(false);
      const answer = await http.ask(sink.target, { cache: "no-store" }).catch(() => undefined);
      // Whatever took that connection's place has asked anew.
      if (!this.#followings.has(sink) || connection !== this.#connection) return;
      if (answer && answer.status < 300) {
        this.#hasRenewed = true;
        this.#reopen();
        return;
      }
    }
    sink.fail(problem);
  }

  /** The socket could not be opened, and a browser doesn't say why: a GET tells what is there. */
  async #probe(wasSilent: boolean): Promise<void> {
    const isOver = (): unknown => this.#followings.size === 0 || this.#connection || this.#fallback?.isUsed;
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
    else if (this.#fallback?.isUsed) {
      this.#beginAll();
      this.#retrySocketLater();
    } else this.#wait(!answer, retryAfterMs(answer));
  }

  #wait(isOffline: boolean, leastMs?: number): void {
    this.#lost(isOffline);
    this.#backoff.cancel();
    if (this.#followings.size > 0) this.#backoff.wait(() => this.#connect(), leastMs);
  }

  #lost(isOffline: boolean): void {
    this.#isOffline = isOffline;
    for (const sink of this.#followings.keys()) sink.lost(isOffline);
  }

  #fail(problem: Problem): void {
    for (const sink of [...this.#followings.keys()]) sink.fail(problem);
  }

  #retrySocketLater(): void {
    this.#backoff.set(() => this.#connect(), retrySocketMs * (1 + 0.5 * this.#options.clock.random()));
  }
}
