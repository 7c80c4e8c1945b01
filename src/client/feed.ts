import {
  fieldValue,
  type HttpResponse,
  isAtOrAfter,
  isChange,
  type Problem,
  protocolError,
} from "../protocol/index.ts";
import { type ClientClock, Timer } from "./clock.ts";
import { type FeedEvent, type FeedState, feedTransitions } from "./feed-state.ts";
import { next } from "./machine.ts";
import { localProblem, ProblemError } from "./problem.ts";
import { type Entry, Replica } from "./replica.ts";
import type { RowUrls, RowVersions } from "./row-urls.ts";
import { endedBy, isSameStatus, type Status } from "./status.ts";
import type { Sink } from "./transport.ts";

/**
 * Told where rows, position or status may have changed. It is the client's own, and calls no application.
 *
 * @param batch - a whole batch that was applied, a 200 being one of its own; empty where nothing was
 */
export type FeedListener = (batch: readonly HttpResponse[]) => void;

/** What a feed needs of its client. */
export interface FeedOptions {
  readonly target: string;
  /** Links to it are those of records: `http://example.com`. */
  readonly origin: string;
  readonly clock: ClientClock;
  readonly urls: RowUrls;
  readonly versions: RowVersions;
  /** Begins to follow; the function that it returns ends it. */
  readonly follow: (feed: Feed) => () => void;
  /** Asks for the whole while it is followed. */
  readonly askAnew: (feed: Feed) => void;
  /** Told after each change of the status. */
  readonly onStatus: () => void;
}

/** How long a feed goes on when nobody looks any more: an interface that is drawn anew finds it again. */
const lingerMs = 1_000;

/**
 * Refusals by which a viewer may see nothing, or there is nothing: what was shown is taken away. A 400 is one, too: who may not
 * see a column any more is told that there is none to filter by. So is a redirect, which many applications answer who has to sign in.
 */
function leavesNothing(status: number): boolean {
  return status < 400 || [400, 401, 402, 403, 404, 410, 451].includes(status);
}

/** One URL that is followed, for everyone in this client who looks at it: its records, its position, its status. */
export class Feed implements Sink {
  readonly target: string;
  readonly replica: Replica;
  position: string | undefined;
  /** When the last messages came that listeners were told of. */
  heardAt = 0;
  askedAt: number | undefined;
  status: Status = { state: "connecting" };
  readonly listeners: Set<FeedListener> = new Set();
  /** Told of each batch ahead of those who look, and also while nobody does. */
  onBatch: FeedListener | undefined;
  readonly #options: FeedOptions;
  #state: FeedState = "waiting";
  #intervalMs: number | undefined;
  #unmarked: HttpResponse[] = [];
  #unfollow: (() => void) | undefined;
  readonly #linger: Timer;
  #liveAt: number | undefined;
  /** Since when the server knows that there may be something new, which it has not seen yet [R-DER-10, R-HB-5]. */
  #unseenSince: number | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#linger = new Timer(options.clock);
    this.target = options.target;
    this.replica = new Replica(options);
  }

  get state(): FeedState {
    return this.#state;
  }

  get isCaughtUp(): boolean {
    return this.#state === "live";
  }

  get isUnseen(): boolean {
    return this.#unseenSince !== undefined;
  }

  /** True where it failed, until somebody asks again. */
  get isEnded(): boolean {
    return this.#state === "failed" || this.#state === "closed";
  }

  get intervalMs(): number | undefined {
    return this.#intervalMs;
  }

  lookEvery(intervalMs: number | undefined): void {
    this.#intervalMs = intervalMs;
  }

  /** True once there is something to show. */
  get hasState(): boolean {
    return this.replica.opening !== undefined;
  }

  /**
   * Begins with a 200 that was handed over, as if it had been followed until now.
   *
   * @param isGuess - where the server has not said where its records are: the next connection asks for it
   */
  begin(message: HttpResponse, isGuess = false): void {
    this.#take(message, false);
    if (isGuess) this.position = undefined;
    this.#liveAt = this.#options.clock.now();
    this.lost(false);
  }

  /** Takes over what is known in another way. What comes next may be older: so a fresh 200 is asked for. */
  adopt(entries: readonly Entry[]): void {
    this.replica.adopt(entries);
    this.position = undefined;
  }

  /** Looks on, until the function that is returned is called. */
  listen(listener: FeedListener): () => void {
    this.#linger.cancel();
    this.listeners.add(listener);
    if (this.isEnded) this.again();
    else this.#begin();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size > 0 || !this.#unfollow) return;
      this.#linger.set(() => this.stop(), lingerMs);
    };
  }

  /** True while somebody looks, or did a moment ago. */
  get isFollowed(): boolean {
    return this.#unfollow !== undefined;
  }

  /** Asks again, where it had failed, for all who look. */
  again(): void {
    if (this.#state !== "failed") return;
    this.#move("again");
    this.#show({ state: "connecting" });
    this.#begin();
  }

  /** Asks for the whole, beside what comes. */
  askAnew(): void {
    this.#options.askAnew(this);
  }

  /** Ends it for good. @param forgets - whether nothing of it may be shown any more */
  close(problem: Problem, forgets = false): void {
    const wasEnded = this.isEnded;
    this.#move("close");
    if (forgets) this.replica.clear();
    if (!wasEnded) this.#end(problem);
  }

  /** Follows no more. What is known is kept, and the next who looks resumes there. */
  stop(): void {
    this.#linger.cancel();
    const unfollow = this.#unfollow;
    this.#unfollow = undefined;
    unfollow?.();
    this.lost(false);
  }

  take(message: HttpResponse, isWhole = false, askedAt?: number): boolean {
    try {
      this.askedAt = askedAt ?? this.askedAt;
      return this.#take(message, isWhole);
    } catch (error) {
      // What can't be read is that of one URL; others go on.
      if (!(error instanceof ProblemError)) throw error;
      this.fail(error.problem);
      return true;
    }
  }

  #take(message: HttpResponse, isWhole: boolean): boolean {
    const eventId = fieldValue(message.fields, "event-id");
    if (message.status === 200) {
      this.#unmarked = [];
      this.#move("snapshot");
      this.replica.replace(message);
      this.position = eventId;
      this.#tell([message]);
    } else if (message.status === 304) this.#bookmark(message, eventId);
    else if (isChange(message)) {
      const isOfSomeRow = !this.replica.isRecord && this.hasState;
      if (isOfSomeRow && !fieldValue(message.fields, "content-location")) {
        throw protocolError("a change of a list does not say of which record");
      }
      this.#move("change");
      this.#unmarked.push(message);
      if (isWhole || eventId !== undefined) return this.#commit(eventId);
    }
    return true;
  }

  early(message: HttpResponse): void {
    const isUseful = message.status === 200 && fieldValue(message.fields, "items") !== undefined;
    if (this.hasState || this.isEnded || !isUseful) return;
    this.replica.replace(message);
    this.#move("early");
    this.position = fieldValue(message.fields, "event-id");
    this.#liveAt = this.#options.clock.now();
    this.#show({ state: "connecting", since: this.#liveAt });
    this.#tell([]);
  }

  lost(isOffline: boolean, refusal?: Problem): void {
    const since = this.#drop();
    const state = isOffline ? "offline" : this.hasState ? "stale" : "connecting";
    if (!this.isEnded) this.#show({ state, ...since, ...(refusal && { refusal }) });
  }

  fail(problem: Problem): void {
    this.#move("failure");
    this.#end(problem);
  }

  #end(problem: Problem): void {
    const { since } = this.#drop();
    if (leavesNothing(problem.status)) {
      this.replica.clear();
      this.position = undefined;
    }
    this.#show(endedBy(problem, since));
    this.stop();
  }

  #begin(): void {
    if (this.#unfollow || this.listeners.size === 0) return;
    this.#unfollow = () => {};
    this.#unfollow = this.#options.follow(this);
  }

  /** What was not marked will come again. Gives when it was live last. */
  #drop(): { readonly since?: number } {
    this.#unmarked = [];
    this.#unseenSince = undefined;
    this.#move("lost");
    return this.#liveAt === undefined ? {} : { since: this.#liveAt };
  }

  #commit(eventId: string | undefined): boolean {
    const unmarked = this.#unmarked;
    this.#unmarked = [];
    // What was applied already is not applied again.
    if (eventId && this.position && isAtOrAfter(this.position, eventId)) return true;
    const batch = this.replica.take(unmarked);
    if (!batch) return false;
    if (eventId) this.position = eventId;
    this.#tell(batch);
    if (this.replica.isGone) this.fail(localProblem(410, `${this.target} was destroyed.`));
    return true;
  }

  #bookmark({ fields }: HttpResponse, eventId: string | undefined): void {
    // A heartbeat says nothing of it.
    if (fieldValue(fields, "stale") === "?1") this.#unseenSince ??= this.#options.clock.now();
    else if (fieldValue(fields, "subscription") !== undefined) this.#unseenSince = undefined;
    const isLate = eventId !== undefined && isAtOrAfter(eventId, this.position ?? "") === false;
    const hasOpened = this.#state === "opened" || this.isCaughtUp;
    if (eventId && !isLate && hasOpened && this.#unmarked.length === 0) this.position = eventId;
    this.#move("bookmark");
    const { intervalMs } = this;
    const since = this.#unseenSince;
    const current: Status = since === undefined ? { state: "live" } : { state: "behind", since };
    if (this.isCaughtUp) this.#show(intervalMs === undefined ? current : { state: "polling", intervalMs });
    this.#tell([]);
  }

  #move(event: FeedEvent): void {
    const before = this.#state;
    this.#state = next(feedTransitions, before, event);
    if (before === "live" && this.#state !== "live") this.#liveAt = this.#options.clock.now();
  }

  #show(status: Status): void {
    if (isSameStatus(status, this.status)) return;
    this.status = status;
    this.#options.onStatus();
    this.#tell();
  }

  /** @param batch - what was heard */
  #tell(batch?: readonly HttpResponse[]): void {
    if (batch) {
      this.heardAt = this.#options.clock.now();
      this.onBatch?.(batch);
    }
    for (const listener of [...this.listeners]) listener(batch ?? []);
  }
}
