import { type Client, type ClientClock, createClient, type RefusedWrite } from "../../src/client/index.ts";
import { createFakeClock, createRandom, type FakeClock, type Random } from "../../src/testing/index.ts";
import { type FakeStream, streamOf } from "./fake-stream.ts";
import { type Followed, Looked, Replayed } from "./followed.ts";
import { type FakeSocket, type Network, socketsOn } from "./network.ts";
import { type Answer, Service, type ServiceOptions } from "./service.ts";

/** How often a client may ask for something in a run. */
const mostOfAKind = 400;

/** How a world is made. */
export interface WorldOptions extends Partial<ServiceOptions> {
  readonly seed?: number;
  readonly kind?: Network["kind"];
  /** Whether no WebSocket ever passes. */
  readonly hasNoSockets?: boolean;
  /** Whether the client's writes outlive it. */
  readonly hasStorage?: boolean;
  /** Makes clients: those of another build, to see defects of it found. */
  readonly createClient?: typeof createClient | undefined;
}

/** A write of the client's own, and what became of it. */
export interface OwnWrite {
  readonly tag: string;
  outcome: "pending" | "resolved" | "refused" | "unknown" | "closed" | "dropped";
  /** Who made it. */
  readonly user: string;
  /** How often it was done when its user logged out. */
  doneAtLogout: number;
  /** Set where it was handed over to the next client. */
  isKept: boolean;
  /** Set where the validator has to be asked for first: without a network it is not even begun. */
  readonly isGuarded: boolean;
  /** The create of the record that it changes, where that is queued as well. */
  readonly after: string | undefined;
  /** The list that a record is created in, or destroyed in. */
  readonly list: Looked | undefined;
}

/** What is known of a write when it is made. */
export interface WriteTraits {
  readonly name?: string;
  readonly isGuarded?: boolean;
  readonly after?: string;
  readonly list?: Looked;
}

/** A client's clock: it counts its timers, and its time of day may jump. */
class CountingClock implements ClientClock {
  readonly #clock: FakeClock;
  skewMs = 0;
  timers = 0;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  readonly random = (): number => this.#clock.random();

  now(): number {
    return this.#clock.now() + this.skewMs;
  }

  setTimer(callback: () => void, ms: number): () => void {
    this.timers += 1;
    let isSet = true;
    const end = (): void => {
      if (isSet) this.timers -= 1;
      isSet = false;
    };
    const cancel = this.#clock.setTimer(() => {
      end();
      callback();
    }, ms);
    return () => {
      end();
      cancel();
    };
  }
}

/** A client, a network and a service, all with one clock that stands still. */
export class World implements Network {
  readonly clock: FakeClock;
  readonly random: Random;
  readonly clientClock: CountingClock;
  readonly service: Service;
  readonly sockets: Set<FakeSocket> = new Set();
  readonly streams: Set<FakeStream> = new Set();
  readonly sent: string[] = [];
  readonly stored: Map<string, string> = new Map();
  readonly writes: OwnWrite[] = [];
  readonly followed: Followed[] = [];
  readonly hasStorage: boolean;
  kind: Network["kind"];
  hub: Network["hub"];
  isOffline = false;
  isBlocked: boolean;
  readonly hasNoSockets: boolean;
  isBuffering = false;
  isHanging = false;
  latencyMs: () => number = () => 0;
  mangle: Network["mangle"] = (data) => [data];
  /** How many answers to writes get lost after they were carried out. */
  answersToLose = 0;
  /** How many calls of listeners throw. */
  callbacksToThrow = 0;
  client: Client;
  /** Who has the page. */
  user = "ann";
  /** How often clients asked for a token. */
  tokensAsked = 0;
  /** Set while the client is given a token that is none. */
  isTokenWrong = false;
  /** Set where bookmarks come that say what is not true any more. */
  hasLateBookmarks = false;
  /** What a client did that none may do at any time. */
  trouble: string | undefined;
  /** The versions of the rows of `/a` when a connection was made last; none where nothing follows from them. */
  atHandshake: ReadonlyMap<number, number> = new Map();
  readonly #createClient: typeof createClient;
  readonly #counts: Map<string, number> = new Map();
  #tags = 0;

  constructor(options: WorldOptions = {}) {
    const {
      seed = 1,
      kind = "level-1",
      hasStorage = false,
      hasNoSockets = false,
      createClient: make,
      ...service
    } = options;
    this.clock = createFakeClock(seed);
    this.random = createRandom(seed);
    this.clientClock = new CountingClock(this.clock);
    this.kind = kind;
    this.hasStorage = hasStorage;
    this.hasNoSockets = this.isBlocked = hasNoSockets;
    const usual = { flavour: "direct", isIdempotent: false, wantsToken: false, hasStreams: false } as const;
    this.service = new Service(this, { ...usual, ...service });
    this.service.start();
    this.#createClient = make ?? createClient;
    this.client = this.connect();
  }

  /** Refusals of writes that a reload left behind. */
  readonly refusedLater: Error[] = [];

  /** What was written in refused writes that nobody waited for. */
  readonly refusedWrites: RefusedWrite[] = [];

  /** What was said for a person. */
  readonly hints: Error[] = [];

  /** What callbacks threw. */
  readonly thrown: Error[] = [];

  /** A client of this world. */
  connect(): Client {
    const { service, stored, user } = this;
    const storage = {
      getItem: (key: string) => stored.get(key) ?? null,
      setItem: (key: string, value: string) => stored.set(key, value),
    };
    return this.#createClient("http://example.com", {
      WebSocket: socketsOn(this),
      fetch: ((url: string, init?: RequestInit) => this.#fetch(user, url, init)) as typeof fetch,
      user,
      clock: this.clientClock,
      tabs: false,
      onError: (error, { stage, write }) => {
        if (write) this.refusedWrites.push(write);
        const errors = { write: this.refusedLater, callback: this.thrown, connection: this.hints, view: this.hints };
        errors[stage].push(error as Error);
      },
      ...(this.hasStorage ? { storage } : {}),
      ...(service.options.wantsToken
        ? {
            token: () => {
              this.tokensAsked += 1;
              return this.isTokenWrong ? "wrong" : service.token;
            },
          }
        : {}),
    });
  }

  look(target: string): Looked {
    const mayGoBack = this.kind !== "level-1";
    const isUnanswered = (tag: string): boolean =>
      this.writes.some((write) => write.tag === tag && write.outcome === "pending");
    const isCreating = (): boolean =>
      this.writes.some(({ tag, list, outcome }) => list && outcome === "pending" && !tag.startsWith("destroy"));
    const atLast = (): void => {
      if (this.callbacksToThrow === 0) return;
      this.callbacksToThrow -= 1;
      throw new Error("It is the application's own.");
    };
    const looked = new Looked(this.client, target, {
      ...{ mayGoBack, isUnanswered, isCreating, atLast },
      mayBeAnother: this.service.options.maxSubscriptions !== undefined,
    });
    this.followed.push(looked);
    return looked;
  }

  replay(target: string, way: "callback" | "iterable" = "callback"): Replayed {
    const replayed = new Replayed(this, target, way);
    this.followed.push(replayed);
    return replayed;
  }

  /** Makes an own write, with a tag that tells it in the store, and notes what becomes of it. */
  write(
    begin: (tag: string) => Promise<unknown>,
    { name, isGuarded = false, after, list }: WriteTraits = {},
  ): OwnWrite {
    this.#tags += 1;
    const tag = name ?? `w${this.#tags}`;
    const { user } = this;
    const begun = { outcome: "pending", isKept: false, doneAtLogout: 0 } as const;
    const write: OwnWrite = { ...begun, tag, user, isGuarded, after, list };
    this.writes.push(write);
    begin(tag).then(
      () => {
        if (write.outcome === "pending") write.outcome = "resolved";
      },
      (error: Error) => {
        if (write.outcome !== "pending") return;
        const isClosed = error.message === "The client is closed.";
        if (error.message.startsWith("The user has logged out")) return;
        const isKnown = error.name === "ProblemError" || /was never created|has no URL/.test(error.message);
        write.outcome = isClosed ? "closed" : isKnown || error.name === "ConflictError" ? "refused" : "unknown";
      },
    );
    return write;
  }

  /** The page is loaded again: the client is gone, another one begins with what was stored. */
  async reload(): Promise<void> {
    const targets = this.followed.splice(0).map((one) => [one.target, one instanceof Looked] as const);
    this.client.close();
    await this.clock.settle();
    for (const write of this.writes) if (write.outcome === "closed") write.isKept ||= this.hasStorage;
    this.client = this.connect();
    for (const [target, isLooked] of targets) {
      if (isLooked) this.look(target);
      else this.replay(target);
    }
  }

  /** Another user has the page from now on; the one before logs out, or does not care to. */
  async signIn(user: string, isLoggedOut: boolean): Promise<void> {
    if (isLoggedOut) {
      for (const write of this.writes.filter((one) => one.user === this.user)) {
        if (write.outcome !== "pending" && write.outcome !== "closed") continue;
        write.outcome = "dropped";
        write.doneAtLogout = this.service.applied.get(write.tag) ?? 0;
      }
      void this.client.logout();
      await this.clock.settle();
    }
    this.user = user;
    await this.reload();
  }

  /** Stops the server; `start` of the service begins it again. */
  async stop(): Promise<void> {
    const { hub } = this;
    this.hub = undefined;
    const closed = hub?.close(0);
    await this.clock.advance(10);
    await closed;
  }

  handshaken(): void {
    if (this.service.options.flavour === "derived" || this.hasLateBookmarks) return;
    // What other connections bring is on its way for as long as it takes.
    if (this.service.options.maxSubscriptions !== undefined && this.sockets.size > 1) return;
    this.atHandshake = new Map(this.service.rows("a").map(({ id, v }) => [id, Number(v)]));
  }

  /** Counts what a client asks for; gives false where that is more than any has reason to. */
  count(what: string): boolean {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    // Who looks at intervals while streams are held back, or has several connections, has reason for more.
    const hasMore = this.hasNoSockets || this.service.options.maxSubscriptions !== undefined;
    const most = hasMore ? 4 * mostOfAKind : mostOfAKind;
    if (count > most) this.trouble ??= `${count} times ${what}.`;
    return count <= most;
  }

  /** How often clients asked for something. */
  counted(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** Calls `check` of all that is followed. */
  check(): void {
    if (this.trouble !== undefined) throw new Error(this.trouble);
    for (const write of this.writes) {
      this.#checkCreated(write);
      this.#checkDestroyed(write);
    }
    for (const one of this.followed) one.check();
  }

  /** A record that was created here is in its list from then on, whichever way it is known. */
  #checkCreated({ list, tag, outcome }: OwnWrite): void {
    // Where positions don't tell, time does, and here it can't be trusted.
    if (this.clientClock.skewMs !== 0) return;
    if (!list || outcome !== "resolved" || !this.followed.includes(list) || list.state !== "live") return;
    const id = this.service.expected(list.target)?.find((row) => row.tag === tag)?.id;
    const path = list.target.split("?")[0];
    const url = `${path}/${id}`;
    const isDestroyed = this.writes.some((other) => other.tag === `destroy ${url}`);
    // What is written to it ahead of time may lead it out of a list with a query.
    const mayLeave = list.target.includes("?") && this.writes.some((one) => !one.list && one.outcome === "pending");
    const names = [url, `${path}#${id}`];
    if (
      id === undefined ||
      isDestroyed ||
      mayLeave ||
      list.shown.some((row) => row.tag === tag || names.includes(list.urlOf(row)))
    )
      return;
    throw new Error(`${tag} was created as ${url}, and is not shown.`);
  }

  /** A record that was destroyed here is in its list no more. */
  #checkDestroyed({ list, tag, outcome }: OwnWrite): void {
    if (this.clientClock.skewMs !== 0 || outcome !== "resolved") return;
    if (!list || !this.followed.includes(list) || list.state !== "live") return;
    if (!list.shown.some((row) => tag === `destroy ${list.urlOf(row)}`)) return;
    // Somebody has created another one there.
    if (this.service.revived.has(tag.slice("destroy ".length))) return;
    throw new Error(`${tag} was done, and it is shown.`);
  }

  /** Nobody's writes are sent by somebody else. */
  #checkUser(user: string, target: string, body: string): void {
    const { tag = `destroy ${target}` } = body === "" ? {} : (JSON.parse(body) as { tag?: string });
    const write = this.writes.find((one) => one.tag === tag);
    if (write && write.user !== user) this.trouble ??= `${tag} of ${write.user} was sent by ${user}.`;
  }

  async #fetch(user: string, url: string, init: RequestInit = {}): Promise<Response> {
    const { pathname, search } = new URL(url);
    const method = init.method ?? "GET";
    const target = pathname + search;
    const { signal } = init;
    if (!this.count(`${method} over HTTP`)) return new Promise(() => {});
    await this.#pass(signal);
    const headers = new Headers(init.headers);
    if (headers.get("accept")?.startsWith("text/event-stream") && this.service.options.hasStreams)
      return this.#stream(target, headers, signal);
    if (method !== "GET") this.#checkUser(user, target, String(init.body ?? ""));
    const answer = await this.service.answer({ method, target, headers, body: String(init.body ?? "") });
    if (method !== "GET" && answer.status < 300 && this.answersToLose > 0) {
      this.answersToLose -= 1;
      throw new TypeError("The connection broke.");
    }
    await this.#pass(signal);
    return responseOf(answer);
  }

  async #stream(target: string, headers: Headers, signal: AbortSignal | null | undefined): Promise<Response> {
    const answer = await streamOf(this, target, headers, signal);
    if (this.isBuffering)
      await new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    await this.#pass(signal);
    if ("headers" in answer) return answer;
    const refusal = responseOf(answer);
    return Object.assign(refusal, { ok: false, headers: new Headers(refusal.headers) });
  }

  /** What takes time on the way. @throws TypeError where nothing gets through */
  async #pass(signal: AbortSignal | null | undefined): Promise<void> {
    const ms = this.latencyMs();
    if (ms > 0) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          cancel();
          signal?.removeEventListener("abort", end);
          resolve();
        };
        const cancel = this.clock.setTimer(end, ms);
        signal?.addEventListener("abort", end);
      });
    }
    if (signal?.aborted) throw new DOMException("It was aborted.", "AbortError");
    if (this.isOffline || !this.hub) throw new TypeError("It can't be reached.");
  }
}

/** As much of a Response as the client reads: thousands of real ones would take most of the time. */
function responseOf({ status, fields, body }: Answer): Response {
  const headers = fields.map(([name, value]) => [name.toLowerCase(), value]);
  const bytes = async () => new TextEncoder().encode(body).buffer;
  return { status, statusText: "", headers, text: async () => body, arrayBuffer: bytes } as unknown as Response;
}
