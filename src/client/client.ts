import type { HttpResponse } from "../protocol/index.ts";
import { type Collection, createCollection, createRecord, type LiveParts, type LiveRecord } from "./collection.ts";
import { Feed } from "./feed.ts";
import { Http } from "./http.ts";
import { lateTransport } from "./late-transport.ts";
import { LiveView } from "./live-view.ts";
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from "./options.ts";
import { OriginTransport } from "./origin-transport.ts";
import type { Outbox } from "./outbox.ts";
import { canShare, watchPlatform } from "./platform.ts";
import { bodyJson, isTransient, localProblem, ProblemError, problemOf } from "./problem.ts";
import { type Query, queryPath } from "./query.ts";
import { RowUrls } from "./row-urls.ts";
import { type Status, worstStatus } from "./status.ts";
import { type MessageCallback, type SubscribeOptions, type Subscription, subscribeToFeed } from "./subscription.ts";
import type { Transport } from "./transport.ts";

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
  /** How well everything that is followed agrees with the server: the worst of it. */
  readonly status: Status;
  /** Calls the listener whenever `status` is another. Returns a function that ends it. */
  onStatus(listener: () => void): () => void;
  /** Asks for credentials again, and gives them to the server in place. */
  renew(): void;
  /** What is known by now, for {@link ClientOptions.initial} of another client. */
  dehydrate(): ClientState;
  /** Ends everything: no timer, socket or listener is left. Twice is fine. */
  close(): void;
}

/** Views that nobody looks at any more, but may again. */
const maxKept = 100;

function liveKey(create: (parts: LiveParts) => unknown, target: string): string {
  return `${create === createRecord ? "record" : "collection"} ${target}`;
}

const idle: Status = { state: "connecting" };

class OriginClient implements Client {
  readonly url: string;
  readonly #options: ResolvedClientOptions;
  readonly #http: Http;
  readonly #transport: Transport;
  #outbox: Outbox | undefined;
  #outboxLoading: Promise<Outbox> | undefined;
  readonly #feeds: Map<string, Feed> = new Map();
  readonly #urls: RowUrls = new RowUrls();
  readonly #views: Map<string, LiveView> = new Map();
  readonly #live: Map<string, unknown> = new Map();
  readonly #statusListeners: Set<() => void> = new Set();
  readonly #unwatch: () => void;
  #initial: Record<string, HttpResponse>;
  #isIdempotent: boolean | undefined;
  #status: Status = idle;
  #isClosed = false;

  constructor(options: ResolvedClientOptions) {
    this.#options = options;
    this.url = options.base.href;
    this.#initial = { ...options.initial };
    this.#http = new Http(options);
    const own = new OriginTransport({
      ...options,
      http: this.#http,
      onServer: (wellKnown) => this.#learn(wellKnown),
    });
    const { tabs, clock } = options;
    const feedOf = (target: string) => this.#feed(target);
    this.#transport =
      tabs === undefined || !canShare()
        ? own
        : lateTransport(
            import("./tabs.ts").then(
              ({ shareAmongTabs }) => shareAmongTabs(own, { name: `rocket ${tabs} ${this.url}`, clock, feedOf }),
              () => own,
            ),
          );
    this.#unwatch = watchPlatform({
      wake: () => {
        this.#transport.wake();
        this.#outbox?.wake();
      },
      sleep: () => own.sleep(),
    });
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
    return subscribeToFeed(this.#feed(target), new URL(target, this.url).href, callback, options);
  }

  collection<Row, New>(path: string, query: Query<Row> = {}): Collection<Row, New> {
    return this.#liveAt(queryPath(path, query), createCollection) as Collection<Row, New>;
  }

  record<Row>(path: string): LiveRecord<Row> {
    return this.#liveAt(path, createRecord) as LiveRecord<Row>;
  }

  onStatus(listener: () => void): () => void {
    this.#statusListeners.add(listener);
    return () => this.#statusListeners.delete(listener);
  }

  renew(): void {
    this.#transport.renew();
  }

  dehydrate(): ClientState {
    const state: Record<string, HttpResponse> = { ...this.#initial };
    for (const [target, feed] of this.#feeds) {
      const whole = feed.isEnded ? undefined : feed.whole();
      if (typeof whole?.body === "string") state[target] = whole;
    }
    return state;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unwatch();
    this.#outbox?.close();
    for (const feed of [...this.#feeds.values()]) feed.fail(localProblem(499, "The client is closed."));
    this.#feeds.clear();
    this.#transport.close();
  }

  #liveAt(path: string, create: (parts: LiveParts) => unknown): unknown {
    const target = this.#http.target(path);
    const key = liveKey(create, target);
    const live = this.#live.get(key) ?? create(this.#parts(target));
    this.#live.set(key, live);
    return live;
  }

  #parts(target: string): LiveParts {
    // Asked for ahead of the first write, which is to be shown at once.
    this.#loadOutbox().catch(() => {});
    return {
      view: this.#view(target),
      outbox: () => this.#loadOutbox(),
      keyOf: (url) => this.#outbox?.keyOf(url) ?? url,
      urls: this.#urls,
      http: this.#http,
    };
  }

  #loadOutbox(): Promise<Outbox> {
    this.#outboxLoading ??= import("./outbox.ts").then(
      ({ Outbox }) => {
        this.#outbox = new Outbox({
          http: this.#http,
          clock: this.#options.clock,
          urls: this.#urls,
          storage: this.#options.storage,
          onRefused: this.#options.onRefused,
          isIdempotent: () => this.#askIdempotent(),
          onChanged: () => {
            for (const view of this.#views.values()) view.changed();
            this.#settle();
          },
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

  #view(target: string): LiveView {
    const feedOf = (one: string) => this.#feed(one);
    const outboxOf = () => this.#outbox;
    const view = this.#views.get(target) ?? new LiveView({ target, feedOf, outboxOf, onShown: () => this.#settle() });
    this.#views.set(target, view);
    return view;
  }

  #feed(target: string): Feed {
    const known = this.#feeds.get(target);
    if (known && !known.isEnded) return known;
    const initial = this.#initial[target];
    delete this.#initial[target];
    const feed: Feed = new Feed({
      target,
      clock: this.#options.clock,
      urls: this.#urls,
      initial,
      follow: (sink) => {
        const unfollow = this.#transport.follow({ target, sink });
        return () => {
          unfollow();
          this.#forget();
          this.#updateStatus();
        };
      },
      onStatus: () => this.#updateStatus(),
    });
    if (this.#isClosed) feed.fail(localProblem(499, "The client is closed."));
    else this.#feeds.set(target, feed);
    return feed;
  }

  /** What was shown lately is kept: who looks again finds it, and it resumes there. */
  #forget(): void {
    const unused = [...this.#feeds].filter(([, { isFollowed }]) => !isFollowed);
    for (const [target] of unused.slice(0, -maxKept)) {
      this.#feeds.delete(target);
      if (!this.#views.get(target)?.isActive) this.#views.delete(target);
      for (const create of [createCollection, createRecord]) this.#live.delete(liveKey(create, target));
    }
  }

  #updateStatus(): void {
    const active = [...this.#feeds.values()].filter(({ isFollowed, listeners }) => isFollowed || listeners.size > 0);
    const worst = worstStatus(active.map(({ status }) => status)) ?? idle;
    if (worst === this.#status) return;
    this.#status = worst;
    // In a tab without the connection, nothing else tells that the server is back.
    if (worst.state === "live") this.#outbox?.wake();
    for (const listener of [...this.#statusListeners]) listener();
  }

  #settle(): void {
    const active = [...this.#views.values()].filter(({ isActive }) => isActive);
    this.#outbox?.settle((write) => active.every((view) => view.isSettled(write)));
  }

  #learn(wellKnown: HttpResponse): void {
    const said = bodyJson(wellKnown) as { rocket?: { promises?: unknown } } | undefined;
    const promises = said?.rocket?.promises;
    this.#isIdempotent = Array.isArray(promises) && promises.includes("idempotency-key");
    this.#outbox?.wake();
  }

  async #askIdempotent(): Promise<boolean> {
    if (this.#isIdempotent === undefined) {
      const answer = await this.#http.ask("/.well-known/rocket");
      // A server that can't answer now promises nothing, and denies nothing.
      if (isTransient(answer.status)) throw new ProblemError(problemOf(answer));
      this.#learn(answer);
    }
    return this.#isIdempotent ?? false;
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
