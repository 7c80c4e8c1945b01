import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import { Callbacks, Listeners, watched } from "./callbacks.ts";
import { checkedMessage } from "./checked.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from "./client-options.ts";
import { type Collection, LiveCollection, LiveOne, type LiveRecord } from "./collection.ts";
import { enteredIn } from "./entered.ts";
import { Feed } from "./feed.ts";
import { Http } from "./http.ts";
import type { View } from "./layer.ts";
import type { LiveContext } from "./live.ts";
import { OriginTransport } from "./origin-transport.ts";
import type { Outbox } from "./outbox.ts";
import { isCutOff, isPage, watchPlatform } from "./platform.ts";
import { localProblem } from "./problem.ts";
import { type Query, queryPath } from "./query.ts";
import { behind, isCurrent, isSameStatus, type Status, worstStatus } from "./status.ts";
import { type MessageCallback, type SubscribeOptions, type Subscription, subscribeToFeed } from "./subscription.ts";
import type { Sink, Transport } from "./transport.ts";

/** The state of views, by URL, to be handed from one client to another: from a server's to a page's. JSON. */
export type ClientState = Readonly<Record<string, HttpResponse>>;

/** A client of one origin. */
export interface Client {
  /** The base URL. */
  readonly url: string;
  /** As the platform's `fetch`, with paths below the base URL and the client's credentials. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Follows a URL: one callback, or an async iterable, for the list and for each change. */
  subscribe(path: string, callback?: MessageCallback, options?: SubscribeOptions): Subscription;
  /** A live list. The same path and query give the same one. */
  collection<Row = Record<string, unknown>, New = Partial<Row>>(path: string, query?: Query<Row>): Collection<Row, New>;
  /** A live record. The same path gives the same one. */
  record<Row = Record<string, unknown>>(path: string): LiveRecord<Row>;
  /**
   * Sends all writes that `make` makes before it returns as one: the server carries out all of them, or none. They are shown
   * at once, and confirmed or taken back together. Resolves once they are carried out. `make` is called at once, unless
   * nothing was ever followed: then soon.
   *
   * @throws ProblemError where the server refuses one of them, ConflictError, TypeError; with code `no-batch` where it does
   * not promise `batch` [R-BATCH-5]
   */
  batch(make: () => void): Promise<void>;
  /** How well everything that is followed agrees with the server: the worst of it. */
  readonly status: Status;
  /** Calls the listener whenever `status` is another. Returns a function that ends it. */
  onStatus(listener: () => void): () => void;
  /**
   * Asks for a token again, and gives it to the server in place; without one, another connection is made, with the cookies
   * of now. What had failed is asked for again, and writes that waited for the server and were answered 401 are sent.
   */
  renew(): void;
  /**
   * What is known by now, for {@link ClientOptions.initial} of another client. Close the client after it has resolved:
   * a closed one knows nothing.
   */
  dehydrate(): Promise<ClientState>;
  /**
   * The user leaves: what is kept of the user's writes is dropped, and the client is closed; its views have no rows then. Resolves once nothing of it
   * is stored any more. A new user gets a new client.
   */
  logout(): Promise<void>;
  /** Ends everything: no timer, socket or listener is left. Twice is fine. */
  close(): void;
}

/** Views that nobody looks at any more, but may again. */
const maxKept = 100;

const closed = localProblem(499, "The client is closed.");
const over: Status = { state: "failed", problem: closed };
const idle: Status = { state: "connecting" };

class OriginClient implements Client {
  readonly url: string;
  readonly #options: ResolvedClientOptions;
  readonly #http: Http;
  readonly #context: LiveContext;
  #transport: Transport;
  /** Until it resolves, nobody knows yet which tab has the connection. */
  #sharing: Promise<void> | undefined;
  #wellKnown: HttpResponse | undefined;
  #outbox: Outbox | undefined;
  #outboxLoading: Promise<Outbox> | undefined;
  readonly #feeds: Map<string, Feed> = new Map();
  readonly #collections: Map<string, Collection<unknown>> = new Map();
  readonly #records: Map<string, LiveRecord<unknown>> = new Map();
  readonly #callbacks: Callbacks;
  readonly #statusListeners: Listeners;
  readonly #unwatch: () => void;
  #status: Status = idle;
  #isClosed = false;

  constructor(options: ResolvedClientOptions) {
    this.#options = options;
    this.url = options.base.href;
    const isOverSocket = options.requests === "socket";
    this.#http = new Http(
      isOverSocket ? { ...options, fetch: (input, init) => this.#fetch(own, input, init) } : options,
    );
    const onBehind = (): void => {
      for (const view of this.#context.views) view.changed();
      this.#updateStatus();
    };
    this.#callbacks = new Callbacks({ ...options, onBehind });
    this.#statusListeners = new Listeners(this.#callbacks);
    this.#context = {
      callbacks: this.#callbacks,
      isClosed: () => this.#isClosed,
      http: this.#http,
      clock: options.clock,
      urls: new WeakMap(),
      versions: new WeakMap(),
      views: new Set(),
      feedOf: (target) => this.#feed(target),
      outbox: () => this.#outbox,
      loadOutbox: () => this.#loadOutbox(),
    };
    const own = new OriginTransport({
      ...options,
      http: this.#http,
      asksEarly: !isOverSocket,
      onHint: (text) => this.#callbacks.report(new Error(text), { stage: "connection" }),
      onServer: (wellKnown) => {
        this.#wellKnown = wellKnown;
        this.#outbox?.learn(wellKnown);
      },
    });
    this.#transport = own;
    // Without locks (no secure context), nothing is to be loaded for it.
    if (options.tabs !== undefined && isPage() && globalThis.navigator?.locks)
      this.#sharing = this.#share(own, options.tabs);
    this.#unwatch = watchPlatform({
      wake: () => {
        this.#transport.wake();
        this.#outbox?.wake();
      },
      sleep: () => own.sleep(),
    });
    for (const [target, message] of Object.entries(options.initial)) this.#begin(target, message);
    // What was left behind is sent, whatever the page does.
    if (options.storage) void this.#loadOutbox().catch(() => {});
  }

  get status(): Status {
    return this.#status;
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return this.#http.fetch(path, init);
  }

  subscribe(path: string, callback?: MessageCallback, options: SubscribeOptions = {}): Subscription {
    const target = this.#http.target(path);
    const parts = { feed: this.#feed(target), url: this.#http.href(target), callbacks: this.#callbacks };
    return subscribeToFeed(parts, callback, options);
  }

  collection<Row, New>(path: string, query: Query<Row> = {}): Collection<Row, New> {
    return this.#live(this.#collections, LiveCollection, queryPath(path, query)) as unknown as Collection<Row, New>;
  }

  record<Row>(path: string): LiveRecord<Row> {
    return this.#live(this.#records, LiveOne, path) as unknown as LiveRecord<Row>;
  }

  batch(make: () => void): Promise<void> {
    const done = this.#outbox ? this.#outbox.batch(make) : this.#loadOutbox().then((outbox) => outbox.batch(make));
    return watched(done, (error) => {
      if (!this.#isClosed) this.#callbacks.report(error, { stage: "write" });
    });
  }

  onStatus(listener: () => void): () => void {
    return this.#statusListeners.add(listener);
  }

  renew(): void {
    this.#transport.renew();
    for (const feed of this.#feeds.values()) feed.again();
    this.#outbox?.renew();
  }

  async dehydrate(): Promise<ClientState> {
    const { writeWholes } = await import("./whole.ts");
    return writeWholes(this.#feeds.values());
  }

  async logout(): Promise<void> {
    const loading = this.#loadOutbox();
    this.#outbox?.drop();
    // What this user saw is not for the next one.
    this.#end(true);
    await (await loading).drop();
  }

  close(): void {
    this.#end(false);
  }

  /** @param forgets - whether rows that views still have are dropped */
  #end(forgets: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    this.#outbox?.close();
    // Ahead of the feeds: other tabs that share its connection take over, and hear nothing of this client's end.
    this.#transport.close();
    for (const feed of this.#feeds.values()) feed.close(closed, forgets);
    this.#feeds.clear();
    this.#updateStatus();
    this.#callbacks.close();
  }

  /** Sends a request over the socket where one is open or being made, else over HTTP. */
  async #fetch(own: OriginTransport, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    const { fetch } = this.#options;
    const connection = await own.connected();
    const code = connection && (await import("./in-band.ts").catch(() => undefined));
    return code ? code.fetchInBand(connection, fetch, String(input), init) : fetch(input, init);
  }

  /** What was kept somewhere may be anything: what no server can have said is left out. */
  #begin(target: string, kept: unknown): void {
    const message = checkedMessage(kept);
    if (!message || !this.#http.isTarget(target)) return;
    const isSaid = fieldValue(message.fields, "items") !== undefined;
    if (isSaid) this.#beginSafely(target, message);
    else void this.#beginByGuess(target, message).catch(() => {});
  }

  #beginSafely(target: string, message: HttpResponse, isGuess = false): void {
    try {
      this.#feed(target).begin(message, isGuess);
    } catch {
      this.#feeds.delete(target);
    }
  }

  /** What no client dehydrated does not say where its records are. */
  async #beginByGuess(target: string, message: HttpResponse): Promise<void> {
    const { guessOf, withGuess } = await import("./guess-items.ts");
    const rule = guessOf(message, target, this.#options.base.origin);
    if (!this.#isClosed && !this.#feed(target).hasState)
      this.#beginSafely(target, withGuess(message, rule, target), rule !== undefined);
  }

  async #share(own: Transport, name: string): Promise<void> {
    const { clock } = this.#options;
    const feedOf = (target: string): Feed => this.#feed(this.#http.target(target));
    const options = { name: `rocket ${name} ${this.url}`, clock, feedOf };
    try {
      const { shareAmongTabs } = await import("./tabs.ts");
      if (!this.#isClosed) this.#transport = shareAmongTabs(own, options);
    } catch {
      // It can't be loaded, or a sandbox forbids it: this tab has a connection of its own.
    }
    this.#sharing = undefined;
  }

  #live<Live>(known: Map<string, Live>, Kind: new (target: string, context: LiveContext) => Live, path: string): Live {
    // Asked for ahead of the first write, which is to be shown at once.
    this.#loadOutbox().catch(() => {});
    const target = this.#http.target(path);
    const live = known.get(target) ?? new Kind(target, this.#context);
    known.set(target, live);
    return live;
  }

  #loadOutbox(): Promise<Outbox> {
    this.#outboxLoading ??= import("./outbox.ts").then(
      ({ Outbox }) => {
        this.#outbox = new Outbox({
          ...this.#options,
          ...this.#context,
          wellKnown: this.#wellKnown,
          isUnreachable: () => isCutOff() || [...this.#feeds.values()].some(({ status }) => status.state === "offline"),
          onAnswered: () => this.#transport.wake(),
          // Other cookies than the socket's may say who acts by now.
          onTurnedAway: () => this.#http.hasToken || this.#transport.renew(),
        });
        if (this.#isClosed) this.#outbox.close();
        return this.#outbox;
      },
      (error: unknown) => {
        this.#outboxLoading = undefined;
        throw error;
      },
    );
    return this.#outboxLoading;
  }

  #feed(target: string): Feed {
    const known = this.#feeds.get(target);
    if (known) return known;
    const feed: Feed = new Feed({
      target,
      origin: this.#options.base.origin,
      clock: this.#options.clock,
      urls: this.#context.urls,
      versions: this.#context.versions,
      follow: (sink) => this.#follow(sink),
      askAnew: (sink) => this.#transport.askAnew(sink),
      onStatus: () => this.#updateStatus(),
    });
    feed.onBatch = (batch) => {
      this.#outbox?.note(feed, batch);
      // Records that had gone are asked for again where another view shows them.
      const urls = enteredIn(feed, batch);
      for (const other of urls.length > 0 ? this.#feeds.values() : [])
        if (other.status.state === "gone" && urls.includes(other.replica.recordUrl)) other.again();
    };
    if (this.#isClosed) feed.close(closed);
    else this.#feeds.set(target, feed);
    return feed;
  }

  #follow(sink: Sink): () => void {
    let isOver = false;
    let unfollow = (): void => {};
    const begin = (): void => {
      if (!isOver) unfollow = this.#transport.follow(sink);
    };
    if (this.#sharing) void this.#sharing.then(begin);
    else begin();
    return () => {
      isOver = true;
      unfollow();
      this.#forget();
      this.#updateStatus();
    };
  }

  /** What was shown lately is kept: who looks again finds it, and it resumes there. */
  #forget(): void {
    const unused = [...this.#feeds].filter(([, { isFollowed }]) => !isFollowed);
    const forgotten = unused.slice(0, -maxKept - Object.keys(this.#options.initial).length);
    for (const [target] of forgotten) {
      for (const known of [this.#collections, this.#records]) {
        this.#context.views.delete(known.get(target) as unknown as View);
        known.delete(target);
      }
      this.#feeds.delete(target);
    }
    // What is written to a row that only they knew is shown in the others no more.
    if (forgotten.length > 0) for (const view of this.#context.views) view.changed();
  }

  #updateStatus(): void {
    const active = [...this.#feeds.values()].filter(({ isFollowed, listeners }) => isFollowed || listeners.size > 0);
    const worstOpen = worstStatus(active.map(({ status }) => status)) ?? idle;
    const open = worstOpen.state === "live" && this.#callbacks.isBehind ? behind : worstOpen;
    const worst = this.#isClosed ? over : open;
    if (isSameStatus(worst, this.#status)) return;
    this.#status = worst;
    // In a tab without the connection, nothing else tells that the server is back.
    if (isCurrent(worst)) this.#outbox?.wake();
    this.#statusListeners.tell();
  }
}

/**
 * Makes a client of an origin. Nothing is opened before something is asked for.
 *
 * @param baseUrl - an absolute URL; in a page also a path. Default: the page's own origin
 * @throws TypeError where the URL or an option is not valid
 */
export function createClient(baseUrl?: string | URL, options: ClientOptions = {}): Client {
  return new OriginClient(resolveClientOptions(baseUrl, options));
}
