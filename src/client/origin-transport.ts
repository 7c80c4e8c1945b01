import { type HttpResponse, type Problem, retryClass, wellKnownPath } from "../protocol/index.ts";
import { Backoff } from "./backoff.ts";
import type { ClientClock } from "./clock.ts";
import { Connection, type Ending } from "./connection.ts";
import type { DocumentFollower } from "./document-follower.ts";
import type { Http } from "./http.ts";
import { bodyJson, isTransient, localProblem, problemOf, retryAfterMs } from "./problem.ts";
import type { Following, Transport } from "./transport.ts";
import { type findWebSocket, openSocket, type SocketEvents } from "./web-socket.ts";

/** A connection that lasted so long counts as stable [R-CLOSE-5]. */
const stableMs = 10_000;
/** After so long in another way the WebSocket is tried again; up to a half more. */
const retrySocketMs = 30_000;
/** How often the socket must fail, though the server is there, until it counts as blocked. */
const blockedAfter = 2;

/** What the way to an origin needs. */
export interface OriginTransportOptions {
  readonly clock: ClientClock;
  readonly http: Http;
  /** What opens WebSockets. */
  readonly findWebSocket: typeof findWebSocket;
  /** Told of each answer at the well-known URL, and of other servers' lack of it. */
  readonly onServer: (wellKnown: HttpResponse) => void;
}

function isLevel1(message: HttpResponse): boolean {
  const said = bodyJson(message) as { rocket?: { levels?: unknown } } | undefined;
  const levels = said?.rocket?.levels;
  return message.status === 200 && Array.isArray(levels) && levels.includes(1);
}

/**
 * Follows URLs of one origin in the best way that there is: one WebSocket of Level 1 for all; on servers of the 2013
 * proposal one of Level 0 for each; where sockets are blocked, GETs at intervals. It finds its way back.
 */
export class OriginTransport implements Transport {
  readonly #options: OriginTransportOptions;
  readonly #followings: Set<Following> = new Set();
  /** Those that are followed by their documents, while that is the way. */
  #followers: Map<Following, DocumentFollower> | undefined;
  #DocumentFollower: typeof DocumentFollower | undefined;
  #hasLevel0 = false;
  readonly #backoff: Backoff;
  #connection: Connection | undefined;
  #failures = 0;
  #hasRenewed = false;
  #cancelTimer: () => void = () => {};
  #cancelStable: () => void = () => {};

  constructor(options: OriginTransportOptions) {
    this.#options = options;
    this.#backoff = new Backoff(options.clock);
  }

  follow(following: Following): () => void {
    this.#followings.add(following);
    if (this.#followers) this.#followDocument(following);
    else if (this.#connection) this.#connection.add(following);
    else if (this.#followings.size === 1) this.#connect();
    return () => {
      this.#followings.delete(following);
      this.#connection?.remove(following);
      this.#followers?.get(following)?.stop();
      this.#followers?.delete(following);
      if (this.#followings.size === 0) this.close();
    };
  }

  renew(): void {
    void this.#options.http.authorization(true).then(
      () => this.#connection?.renew(),
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
    for (const follower of this.#followers?.values() ?? []) follower.wake();
  }

  /** Gives the connection up until `wake`, or for a while. */
  sleep(): void {
    this.#stop();
    if (this.#followings.size > 0) this.#wait(true, this.#backoff.next());
  }

  close(): void {
    this.#stop();
    this.#failures = 0;
  }

  #stop(): void {
    this.#cancelTimer();
    this.#cancelStable();
    this.#connection?.close();
    this.#connection = undefined;
    this.#stopFollowers();
  }

  #stopFollowers(): void {
    for (const follower of this.#followers?.values() ?? []) follower.stop();
    this.#followers = undefined;
  }

  #url(target: string): string {
    const url = new URL(target, this.#options.http.base);
    url.protocol = url.protocol.replace("http", "ws");
    return url.href;
  }

  #connect(): void {
    this.#cancelTimer();
    const { clock, http, findWebSocket } = this.#options;
    this.#connection = new Connection({
      clock,
      http,
      open: (protocols, events) => openSocket(this.#url(wellKnownPath), protocols, findWebSocket, events),
      onReady: (first) => this.#ready(first),
      onEnded: (ending) => void this.#ended(ending),
    });
    if (!this.#followers) for (const following of this.#followings) this.#connection.add(following);
  }

  #ready(first: HttpResponse): void {
    this.#failures = 0;
    this.#cancelStable = this.#options.clock.setTimer(() => {
      this.#backoff.reset();
      this.#hasRenewed = false;
    }, stableMs);
    this.#options.onServer(first);
    if (!this.#followers) return;
    this.#stopFollowers();
    for (const following of this.#followings) {
      following.sink.lost(false);
      this.#connection?.add(following);
    }
  }

  async #ended(ending: Ending): Promise<void> {
    this.#cancelStable();
    this.#connection = undefined;
    if (this.#followers) {
      this.#retrySocketLater();
      return;
    }
    for (const { sink } of this.#followings) sink.lost(false);
    const retry = retryClass(ending.code);
    if (!ending.wasReady && !ending.problem) await this.#probe();
    else if (retry === "credentials" && !this.#hasRenewed) {
      this.#hasRenewed = true;
      await this.#options.http.authorization(true).catch(() => {});
      this.#wait(false, this.#backoff.next());
    } else if (retry === "retry") this.#wait(false, this.#backoff.next(ending.retryAfterMs));
    else this.#fail(ending.problem ?? localProblem(502, `The server ended the connection with ${ending.code}.`));
  }

  /** The socket could not be opened, and a browser doesn't say why: a GET tells what is there. */
  async #probe(): Promise<void> {
    const { http, onServer } = this.#options;
    const answer = await http.ask(wellKnownPath, { cache: "no-store" }).catch(() => undefined);
    if (this.#followings.size === 0 || this.#connection || this.#followers) return;
    if (!answer) this.#wait(true, this.#backoff.next());
    else if (isTransient(answer.status)) this.#wait(false, this.#backoff.next(retryAfterMs(answer, Date.now())));
    else if (isLevel1(answer)) {
      onServer(answer);
      this.#failures += 1;
      if (this.#failures < blockedAfter) this.#wait(false, this.#backoff.next());
      else await this.#followDocuments(false);
    } else if (answer.status === 401 || answer.status === 403) this.#fail(problemOf(answer));
    else {
      onServer(answer);
      await this.#followDocuments(true);
    }
  }

  #wait(isOffline: boolean, ms: number): void {
    for (const { sink } of this.#followings) sink.lost(isOffline);
    this.#cancelTimer();
    if (this.#followings.size === 0) return;
    this.#cancelTimer = this.#options.clock.setTimer(() => this.#connect(), ms);
  }

  #fail(problem: Problem): void {
    for (const { sink } of [...this.#followings]) sink.fail(problem);
  }

  async #followDocuments(hasLevel0: boolean): Promise<void> {
    // Loaded where it is needed: few pages ever do.
    const code = await import("./document-follower.ts").catch(() => undefined);
    if (this.#followings.size === 0 || this.#connection || this.#followers) return;
    if (!code) {
      this.#wait(true, this.#backoff.next());
      return;
    }
    this.#DocumentFollower = code.DocumentFollower;
    this.#followers = new Map();
    this.#hasLevel0 = hasLevel0;
    for (const following of this.#followings) this.#followDocument(following);
    this.#retrySocketLater();
  }

  #followDocument(following: Following): void {
    const { clock, http, findWebSocket } = this.#options;
    const open = (events: SocketEvents) => openSocket(this.#url(following.target), [], findWebSocket, events);
    if (!this.#DocumentFollower) return;
    const follower = new this.#DocumentFollower({
      following,
      clock,
      http,
      open: this.#hasLevel0 ? open : undefined,
      onUnreachable: () => this.#unreachable(),
    });
    this.#followers?.set(following, follower);
  }

  #unreachable(): void {
    this.#stop();
    this.#wait(true, this.#backoff.next());
  }

  #retrySocketLater(): void {
    this.#cancelTimer();
    const { clock } = this.#options;
    const ms = retrySocketMs * (1 + 0.5 * clock.random());
    this.#cancelTimer = clock.setTimer(() => this.#connect(), ms);
  }
}
