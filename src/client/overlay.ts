import { type HttpResponse, heartbeatMs, isAtOrAfter } from "../protocol/index.ts";
import { type ClientClock, Timer } from "./clock.ts";
import { isDeepEqual } from "./deep-equal.ts";
import { enteredIn, urlIn } from "./entered.ts";
import type { Feed } from "./feed.ts";
import { Layer, type Overlaid, type OverlayContext, type View } from "./layer.ts";
import type { Write } from "./write.ts";

/** What was written, and is not shown so long after the answer, is asked for. */
const settleMs = 1_000;
/** So long an answer to that may take, until it is asked for again. */
const patienceMs = 10_000;
/** Further back than this nothing of a live connection lies: the clock was set back. */
const clockSetBackMs = -60_000;

/** What a view knows of a write. */
interface Traces {
  /** The URL of its record. */
  readonly url: string;
  /** The URLs that came since the answer; for a create also those that entered before it. */
  readonly seen: ReadonlySet<string>;
}

/** True for a row that has what was written, as far as it has those members. */
function hasWritten(row: unknown, { values, row: answered }: Write): boolean {
  const written = Object.entries(values).map(([name, value]) => {
    return [name, Object.hasOwn(Object(answered), name) ? Reflect.get(answered as object, name) : value] as const;
  });
  const shown = Object(row) as object;
  return written.every(([name, value]) => !Object.hasOwn(shown, name) || isDeepEqual(Reflect.get(shown, name), value));
}

/** True where the rows of a feed show what a write did, or what became of it since. */
function isInRows(write: Write, { replica }: Feed, { url, seen }: Traces): boolean {
  const row = replica.get(url);
  if (write.kind === "destroy") return row === undefined;
  if (row === undefined) return seen.has(url);
  // What comes for a changed record may be older than the write, where the server looks slowly.
  return write.kind === "create" || isDeepEqual(row, write.row) || (seen.has(url) && hasWritten(row, write));
}

/** True where the whole that is known was asked for after some time. What it was asked at lies ahead where the clock was set back. */
function isAskedSince({ askedAt = Number.NaN, heardAt }: Feed, time: number): boolean {
  return askedAt > time && askedAt <= heardAt;
}

/** True once the stream of a feed shows what a write did, or would have by now. */
function isShown(write: Write, feed: Feed, traces: Traces): boolean {
  if (write.state !== "answered") return false;
  const { eventId, answeredAt } = write;
  const isPast = eventId === undefined ? undefined : isAtOrAfter(feed.position ?? "", eventId);
  if (isPast !== undefined) return isPast;
  // Nothing to compare: another segment, a derived view, a server without positions. The message may have been faster
  // than the answer.
  if (isInRows(write, feed, traces) || isAskedSince(feed, answeredAt)) return true;
  const elapsedMs = feed.heardAt - answeredAt;
  return feed.isCaughtUp && (elapsedMs >= heartbeatMs || elapsedMs < clockSetBackMs);
}

/** One view's rows with this client's own writes shown ahead of time. */
export class Overlay {
  readonly #view: View;
  readonly #context: OverlayContext;
  readonly #clock: ClientClock;
  #settled: WeakSet<Write> = new WeakSet();
  /** What entered since a create was made, and what came since a write was answered, by the write's id. */
  readonly #entered: Map<string, Set<string>> = new Map();
  readonly #seen: Map<string, Set<string>> = new Map();
  #shown: Overlaid | undefined;
  /** Due where an answered write is not shown yet. */
  readonly #doubt: Timer;
  #isWatching = false;
  /** When the whole was asked for last. */
  #askedAt: number | undefined;

  constructor(view: View, context: OverlayContext, clock: ClientClock) {
    this.#view = view;
    this.#context = context;
    this.#clock = clock;
    this.#doubt = new Timer(clock);
  }

  /** Asks nothing more. */
  close(): void {
    this.#doubt.cancel();
  }

  /** True where what is shown may change though no row of the feed did. */
  get isActive(): boolean {
    return this.#shown !== undefined || this.#context.writes.length > 0;
  }

  /** The rows to be shown. */
  rows(): readonly unknown[] {
    const { feed } = this.#view;
    const writes = this.#context.writes.filter((write) => !this.settle(write));
    this.#shown = writes.length > 0 ? this.#layOver(writes) : undefined;
    return this.#shown?.rows ?? feed.replica.rows;
  }

  #layOver(writes: readonly Write[]): Overlaid {
    const layer = new Layer({ view: this.#view, context: this.#context, writes, before: this.#shown });
    const { entries } = layer.placement;
    return { rows: entries.map(({ row }) => row), entries, made: layer.made, pending: layer.pending };
  }

  /** True for a row that the server has not confirmed. */
  isPending(row: unknown): boolean {
    return this.#shown?.pending.has(row) ?? false;
  }

  /** The row that is shown at a URL ahead of time, as the server answered it. */
  ahead(url: string): unknown {
    const row = this.#shown?.made.get(url);
    return this.isPending(row) ? undefined : row;
  }

  /** Settles a write for this view, where its feed shows it without help. Gives whether it is settled. */
  settle(write: Write): boolean {
    if (this.#settled.has(write)) return true;
    if (write.state === "answered" && !this.#view.feed.isFollowed) return this.#keep(write);
    const { created } = this.#context;
    // A created record may have entered before the answer told its URL.
    const entered = this.#entered.get(write.id) ?? new Set();
    const seen = new Set([...(this.#seen.get(write.id) ?? []), ...entered]);
    const isUnnamed = write.kind === "create" && write.state === "answered" && !created.isNamed(write);
    const { replica, target } = this.#view.feed;
    if (isUnnamed && write.view === target)
      created.settleFor(write, new Map([...entered].map((one) => [one, replica.get(one)])));
    const url = (isUnnamed ? created.arrived(write) : undefined) ?? created.of(write);
    if (isShown(write, this.#view.feed, { url, seen }) && this.#settleBefore(write, url)) this.#noteSettled(write);
    else if (write.state === "answered") this.#watch(this.#settleMs);
    return this.#settled.has(write);
  }

  #noteSettled(write: Write): void {
    this.#settled.add(write);
    for (const noted of [this.#seen, this.#entered]) noted.delete(write.id);
  }

  /** Nothing will come for a view that nobody follows: what was written is kept in it, and it begins anew some day. */
  #keep(write: Write): boolean {
    const { feed } = this.#view;
    if (feed.hasState) feed.adopt(this.#layOver([write]).entries);
    this.#settled.add(write);
    return true;
  }

  /**
   * Settles what was written to a record before: it would hide the later write. A record's create and destroy have to be
   * shown themselves: while one is laid over, what followed is needed.
   */
  #settleBefore(write: Write, url: string): boolean {
    const { writes, created } = this.#context;
    const before = writes.slice(0, writes.indexOf(write)).filter((one) => created.of(one) === url);
    if (!before.every((one) => one.kind === "update" || this.settle(one))) return false;
    for (const one of before) if (one.state === "answered") this.#noteSettled(one);
    return true;
  }

  /** Whether one record is gone, a server looks twice, a second apart. */
  get #settleMs(): number {
    return this.#view.feed.replica.isRecord ? 2 * settleMs : settleMs;
  }

  /** Sees to it that what is laid over does not stay where nothing comes of it: others may have overtaken it. */
  #watch(ms: number): void {
    if (this.#isWatching || !this.#view.feed.isCaughtUp) return;
    this.#isWatching = true;
    this.#doubt.set(() => this.#look(), ms);
  }

  /** Asks for the whole where what was written a while ago is shown by nothing but this: what comes then is the truth. */
  #look(): void {
    const { feed } = this.#view;
    const now = this.#clock.now();
    const unseen = this.#context.writes.filter((one) => one.state === "answered" && !this.settle(one));
    const leftMs = unseen.map(({ answeredAt }) => answeredAt + this.#settleMs - now);
    const old = unseen.filter((_, at) => (leftMs[at] ?? 0) <= 0);
    this.#isWatching = false;
    if (unseen.length > 0) this.#watch(Math.min(this.#settleMs, ...leftMs.filter((ms) => ms > 0)));
    if (!feed.isCaughtUp) this.#askedAt = undefined;
    else if (old.length > 0 && !this.#makesOther(unseen)) {
      for (const one of old) this.#noteSettled(one);
      this.#context.settle();
    } else if (old.some(({ answeredAt }) => !isAskedSince(feed, answeredAt)) && !this.#isAsking(now)) {
      this.#askedAt = now;
      feed.askAnew();
    }
  }

  #isAsking(now: number): boolean {
    const askedAt = this.#askedAt ?? Number.NaN;
    return Math.abs(now - askedAt) < patienceMs && !isAskedSince(this.#view.feed, askedAt - 1);
  }

  /** Whether writes make another list than there would be without them. */
  #makesOther(writes: readonly Write[]): boolean {
    const [bare, laid] = [this.#layOver([]).entries, this.#layOver(writes).entries];
    const isSame = laid.every(({ url, row }, at) => url === bare[at]?.url && isDeepEqual(row, bare[at]?.row));
    return !isSame || laid.length !== bare.length;
  }

  /** Notes what came. */
  note(batch: readonly HttpResponse[]): void {
    for (const write of this.#context.writes) {
      if (this.#settled.has(write)) continue;
      if (write.state === "answered") this.#noteSeen(write, batch);
      if (write.kind === "create") this.#noteEntered(write, batch);
    }
  }

  #noteSeen(write: Write, batch: readonly HttpResponse[]): void {
    const urls = this.#seen.get(write.id) ?? new Set();
    this.#seen.set(write.id, urls);
    for (const message of batch) {
      const url = message.status === 200 ? this.#ownIn(write) : urlIn(message);
      if (url !== undefined) urls.add(url);
    }
  }

  #noteEntered(write: Write, batch: readonly HttpResponse[]): void {
    const urls = this.#entered.get(write.id) ?? new Set();
    this.#entered.set(write.id, urls);
    for (const url of enteredIn(this.#view.feed, batch)) urls.add(url);
  }

  /** The URL of the record, where a whole has it; that it does not have it tells nothing, for it may be older. */
  #ownIn(write: Write): string | undefined {
    const url = this.#context.created.of(write);
    return this.#view.feed.replica.get(url) === undefined ? undefined : url;
  }
}
