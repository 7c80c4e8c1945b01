import type { Problem } from "../protocol/index.ts";
import { type Callbacks, Listeners, watched } from "./callbacks.ts";
import type { ClientClock } from "./clock.ts";
import type { Feed } from "./feed.ts";
import type { Http } from "./http.ts";
import type { View } from "./layer.ts";
import type { Outbox } from "./outbox.ts";
import type { Overlay } from "./overlay.ts";
import { localProblem, ProblemError } from "./problem.ts";
import type { RowUrls, RowVersions } from "./row-urls.ts";
import { behind, type Status } from "./status.ts";
import type { WriteKind } from "./write.ts";

/** What live objects stand on. */
export interface LiveContext {
  readonly callbacks: Callbacks;
  readonly isClosed: () => boolean;
  readonly http: Http;
  readonly clock: ClientClock;
  readonly urls: RowUrls;
  readonly versions: RowVersions;
  /** The feed of a URL, the same for everyone who follows it at a time. */
  readonly feedOf: (target: string) => Feed;
  /** Those whose rows are known, or that somebody looks at. */
  readonly views: Set<View>;
  /** This client's writes, once their code is loaded. */
  readonly outbox: () => Outbox | undefined;
  readonly loadOutbox: () => Promise<Outbox>;
}

/** How long {@link Live.ready} waits. */
export interface ReadyOptions {
  /** Ends the waiting: the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds until it rejects with a `ProblemError` of 504, which says whether the server can't be reached. Default: no end. */
  readonly timeoutMs?: number;
}

/** What a write is guarded by. */
interface GuardOptions {
  readonly ifUnchanged?: boolean;
  readonly base?: unknown;
  readonly onConflict?: (conflict: never) => unknown;
}

interface Writing extends GuardOptions {
  readonly kind: WriteKind;
  readonly urlOf: () => string;
  readonly values: unknown;
  readonly row: unknown;
  readonly isGuarded: boolean;
  readonly isInBatch: boolean;
}

/** Makes a snapshot. @param hasMore - whether the rows are only the first of more */
type Shape<Snapshot> = (rows: readonly unknown[], status: Status, hasMore: boolean) => Snapshot;

function urlOrNone(urlOf: () => string): string | undefined {
  try {
    return urlOf();
  } catch {
    return undefined;
  }
}

/** A view that stays equal to its GET, with this client's own writes shown ahead of time. */
export class LiveView<Snapshot extends { readonly status: Status }> implements View {
  readonly url: string;
  feed: Feed;
  protected readonly context: LiveContext;
  readonly #shape: Shape<Snapshot>;
  readonly #listeners: Listeners;
  #unlisten: (() => void) | undefined;
  #rows: readonly unknown[] = [];
  #snapshot: Snapshot | undefined;
  #hasMore = false;
  /** The version of the rows in the snapshot. */
  #version = -1;
  /** What listeners were told of last. */
  #toldStatus: Status | undefined;
  #toldVersion = -1;

  /** @param shape - makes a snapshot */
  constructor(url: string, context: LiveContext, shape: Shape<Snapshot>) {
    this.url = url;
    this.context = context;
    this.#listeners = new Listeners(context.callbacks);
    this.#shape = shape;
    this.feed = context.feedOf(url);
    context.views.add(this);
  }

  /** The feed's status; it says `behind` where the page can't follow. */
  protected get status(): Status {
    const { status } = this.feed;
    return status.state === "live" && this.context.callbacks.isBehind ? behind : status;
  }

  protected get overlay(): Overlay | undefined {
    return this.context.outbox()?.overlayOf(this);
  }

  // Bound, so that they can be handed to useSyncExternalStore.
  readonly getSnapshot: () => Snapshot = () => {
    const { replica } = this.feed;
    const { overlay, status } = this;
    const before = this.#snapshot;
    // Only where the feed's rows are the same, or others are laid over them, may a new array hold what the last one held.
    const mayBeSame = this.#version === replica.version || overlay?.isActive;
    if (before?.status === status && mayBeSame && !overlay?.isActive) return before;
    this.#version = replica.version;
    const rows = overlay?.rows() ?? replica.rows;
    const isAlike = (): boolean => rows.length === this.#rows.length && rows.every((row, at) => row === this.#rows[at]);
    const isSame = rows === this.#rows || (mayBeSame && isAlike());
    if (!isSame) this.#rows = rows;
    const { hasMore } = replica;
    if (!before || !isSame || before.status !== status || hasMore !== this.#hasMore)
      this.#snapshot = this.#shape(this.#rows, status, hasMore);
    this.#hasMore = hasMore;
    return this.#snapshot as Snapshot;
  };

  readonly subscribe: (listener: () => void) => () => void = (listener) => {
    const unlisten = this.#listeners.add(listener);
    if (!this.#unlisten) {
      this.context.views.add(this);
      this.feed = this.context.feedOf(this.url);
      this.feed.replica.shownAhead = (url) => this.overlay?.ahead(url);
      this.#unlisten = this.feed.listen(() => {
        this.changed();
        const outbox = this.context.outbox();
        // A row that is written to may stand in another view as this one knew it.
        if (outbox && outbox.writes.length > 0)
          for (const view of this.context.views) if (view !== this) view.changed();
        outbox?.settle();
      });
    } else this.feed.again();
    return () => {
      unlisten();
      if (this.#listeners.size > 0) return;
      this.#unlisten?.();
      this.#unlisten = undefined;
    };
  };

  readonly ready: (options?: ReadyOptions) => Promise<Snapshot> = ({ signal, timeoutMs } = {}) =>
    new Promise((resolve, reject) => {
      let stop: (() => void) | undefined;
      const over = new AbortController();
      const end = (): void => {
        over.abort();
        stop?.();
      };
      const refuse = (reason: unknown): void => {
        end();
        reject(reason);
      };
      signal?.addEventListener("abort", () => refuse(signal.reason), { signal: over.signal });
      if (timeoutMs !== undefined) {
        const late = (): void => refuse(new ProblemError(this.#lateProblem(timeoutMs)));
        over.signal.addEventListener("abort", this.context.clock.setTimer(late, timeoutMs));
      }
      const look = (): void => {
        const { hasState } = this.feed;
        const { status } = this;
        // The first answer is followed by the word that this is all: until then it is "connecting".
        if (status.problem) reject(new ProblemError(status.problem));
        else if (hasState && (status.state !== "connecting" || status.since !== undefined)) resolve(this.getSnapshot());
        else return;
        // At once: whoever waited must not pay for what comes next.
        end();
      };
      if (signal?.aborted) refuse(signal.reason);
      else stop = this.subscribe(look);
      if (!over.signal.aborted) look();
    });

  #lateProblem(timeoutMs: number): Problem {
    const detail =
      this.status.state === "offline"
        ? `${this.context.http.href(this.url)} can't be reached.`
        : `${this.context.http.href(this.url)} has not answered within ${timeoutMs} ms.`;
    return localProblem(504, detail);
  }

  /**
   * @param urlOf - gives the URL that it goes to, or throws
   * @param row - what the writer saw, where that is an object
   */
  protected write<Result>(
    kind: WriteKind,
    urlOf: () => string,
    values: unknown,
    options: GuardOptions = {},
    row?: unknown,
  ): Promise<Result> {
    const { callbacks, clock, isClosed } = this.context;
    const isGuarded = options.ifUnchanged || "base" in options;
    const isInBatch = this.context.outbox()?.begin() === true;
    const done = this.#write<Result>({ kind, urlOf, values, row, isGuarded, isInBatch, ...options });
    const madeAt = clock.now();
    return watched(done, (error) => {
      // That the client was closed is no refusal. What becomes of a batch is told by that.
      if (isClosed() || isInBatch) return;
      const write = { kind, url: urlOrNone(urlOf), values: Object(values), madeAt };
      callbacks.report(error, { stage: "write", write });
    });
  }

  async #write<Result>(writing: Writing): Promise<Result> {
    const { kind, urlOf, values, row, isGuarded, isInBatch, onConflict, ...options } = writing;
    const url = urlOf();
    const shown = (): unknown => (typeof row === "object" ? row : this.shownAt(url));
    const seen = "base" in options ? options.base : isGuarded ? shown() : undefined;
    const guard = isGuarded ? ("base" in options ? "base" : "shown") : undefined;
    const outbox = this.context.outbox() ?? (await this.context.loadOutbox());
    const written = {
      kind,
      url,
      values: values as object,
      base: seen as object | undefined,
      guard,
      onConflict,
    } as const;
    const done = outbox.write(this, written);
    // Shown before this returns, where that is possible: an input that is controlled by it keeps its caret.
    if (!isInBatch) this.context.callbacks.flush();
    return (await done) as Result;
  }

  /** The row that is shown at a URL. */
  protected shownAt(url: string): unknown {
    this.getSnapshot();
    return this.#rows.find((row) => this.context.urls.get(row as object) === url);
  }

  /** Writes or the feed have changed. */
  changed(): void {
    const { replica } = this.feed;
    const { overlay, status } = this;
    // Rows are made when somebody asks for them: a listener may look at one snapshot for many changes.
    const isQuiet = status === this.#toldStatus && replica.version === this.#toldVersion && !overlay?.isActive;
    this.#toldStatus = status;
    this.#toldVersion = replica.version;
    if (!isQuiet) this.#listeners.tell();
  }
}
