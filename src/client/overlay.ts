import { type HttpResponse, isAtOrAfter } from "../protocol/index.ts";
import type { CreatedRecords } from "./created.ts";
import { isDeepEqual } from "./deep-equal.ts";
import type { Feed } from "./feed.ts";
import { Placement } from "./placement.ts";
import { enteredIn, urlIn } from "./recogniser.ts";
import type { Entry } from "./replica.ts";
import { noteUrl, type RowUrls, temporaryUrl } from "./row-urls.ts";
import type { Write } from "./write.ts";

/** Where positions can't tell, a message or bookmark so long after the answer does. */
const settleMs = 1_000;
/** Further back than this nothing of a live connection lies: the clock was set back. */
const clockSetBackMs = -60_000;

/** What a view knows of a write. */
interface Traces {
  /** The URL of its record. */
  readonly url: string;
  /** The URLs that came since the answer; for a create also those that entered before it. */
  readonly seen: ReadonlySet<string>;
  /** When the first whole came since the answer: it may have been asked for earlier, and be older than the write. */
  readonly wholeAt: number | undefined;
}

/** True once the stream of a feed shows what a write did, or would have by now. */
function isShown(write: Write, feed: Feed, { url, seen, wholeAt }: Traces): boolean {
  if (write.state !== "answered") return false;
  const { eventId } = write;
  const isPast = eventId === undefined ? undefined : isAtOrAfter(feed.position ?? "", eventId);
  if (isPast !== undefined) return isPast;
  // Nothing to compare: another segment, a derived view, a server without positions. The message may have been faster
  // than the answer.
  const elapsedMs = feed.heardAt - (wholeAt ?? write.answeredAt);
  const row = feed.replica.get(url);
  const isThere = row !== undefined && (write.kind === "create" || isDeepEqual(row, write.row));
  const isSeen = write.kind === "destroy" ? row === undefined : isThere || seen.has(url);
  const isOld = elapsedMs >= settleMs || elapsedMs < clockSetBackMs;
  return isSeen || (feed.isCaughtUp && isOld);
}

/** A list with writes shown ahead of time. */
interface Overlaid {
  readonly entries: readonly Entry[];
  readonly rows: readonly unknown[];
  /** The rows that the overlay made, by URL. */
  readonly made: ReadonlyMap<string, unknown>;
  /** The rows that the server has not confirmed. */
  readonly pending: ReadonlySet<unknown>;
}

function merge(row: unknown, values: Readonly<Record<string, unknown>>): unknown {
  return { ...(row as object), ...values };
}

/** What such a list is made of. */
interface OverlayParts {
  readonly view: View;
  /** The writes that the feed does not show yet, in order. */
  readonly writes: readonly Write[];
  readonly context: OverlayContext;
  /** What was shown before: rows that are equal keep their identity. */
  readonly before: Overlaid | undefined;
}

/** Lays writes over a feed's rows: each row at its place in the list, where it is in it. */
class Layer {
  readonly placement: Placement;
  readonly made: Map<string, unknown> = new Map();
  readonly pending: Set<unknown> = new Set();
  readonly #parts: OverlayParts;
  /** The rows by URL, also those that are in the list no more, or not yet. */
  readonly #rows: Map<string, unknown>;
  /** Whether a URL is in the list by now. */
  readonly #isIn: Set<string>;

  constructor(parts: OverlayParts) {
    const { feed } = parts.view;
    this.#parts = parts;
    this.placement = new Placement(feed);
    this.#rows = new Map(feed.replica.entries.map(({ url, row }) => [url, row]));
    this.#isIn = new Set(this.#rows.keys());
    for (const url of this.#rows.keys()) if (parts.context.isHeld(url)) this.#remove(url);
    for (const write of parts.writes) this.#lay(write);
  }

  #lay(write: Write): void {
    const url = this.#parts.context.created.real(write.url);
    if (write.kind === "create") this.#create(write);
    else if (write.kind === "destroy") this.#remove(url);
    else {
      const known = this.#rows.get(url) ?? this.#rowElsewhere(url);
      if (known === undefined) return;
      const changed = merge(known, write.values);
      this.#show(url, write.state === "answered" ? (write.row ?? changed) : changed, write);
    }
  }

  #create(write: Write): void {
    const { view, context } = this.#parts;
    const { replica, target } = view.feed;
    if (replica.isRecord || target.split("?")[0] !== write.url) return;
    const { created } = context;
    const url = created.of(write);
    if (replica.get(url) !== undefined) return;
    const isPending = write.state !== "answered";
    const come = url.startsWith(temporaryUrl) ? created.arrived(write) : undefined;
    // A page before this one made it, and it was shown before that was known.
    if (come !== undefined && created.isShown(come)) return;
    // Until the answer says which it is, the record that came stands behind the one that is shown already.
    if (come !== undefined && isPending) this.#remove(come);
    else if (come !== undefined && replica.get(come) !== undefined) return;
    this.#show(url, isPending ? { ...write.values } : (write.row ?? { ...write.values }), write);
  }

  /** The record as another view of the same list shows it. */
  #rowElsewhere(url: string): unknown {
    const path = this.#parts.view.feed.target.split("?")[0];
    for (const { feed } of this.#parts.context.views) {
      if (feed.target.split("?")[0] !== path) continue;
      const row = feed.replica.get(url);
      if (row !== undefined) return row;
    }
    return undefined;
  }

  #remove(url: string): void {
    this.#rows.delete(url);
    if (this.#isIn.delete(url)) this.placement.remove(url);
  }

  #show(url: string, shown: unknown, write: Write): void {
    const { view, context, before } = this.#parts;
    this.#rows.set(url, shown);
    const isOwn = write.kind === "create" && write.view === view.feed.target;
    const belongs = this.placement.has(shown) ?? (this.#isIn.has(url) || isOwn);
    if (!belongs) {
      if (this.#isIn.delete(url)) this.placement.remove(url);
      return;
    }
    const { replica } = view.feed;
    const isPending = write.state !== "answered";
    // A row that is confirmed is another one than the pending one, so that whoever shows it draws it anew.
    const last = before?.pending.has(before.made.get(url)) === isPending ? before.made.get(url) : undefined;
    const row = [last, isPending ? undefined : replica.get(url)].find((one) => isDeepEqual(one, shown)) ?? shown;
    this.pending.delete(this.made.get(url));
    this.#isIn.add(url);
    this.#rows.set(url, row);
    // A record that is created beyond the cut of a list is in it no longer than its create waits.
    this.placement.put(url, row, isPending && write.kind === "create");
    this.made.set(url, row);
    noteUrl(context.urls, row, context.created.linkOf(url));
    if (!isPending) return;
    this.pending.add(row);
    context.shows.set(row as object, { id: write.id, below: replica.get(url) });
  }
}

/** A view that writes are laid over. */
export interface View {
  /** The path and query that it shows. */
  readonly url: string;
  readonly feed: Feed;
  /** Called where writes have changed. */
  changed(): void;
}

/** What overlays need of whoever sends the writes. */
export interface OverlayContext {
  /** All that are not yet seen in the streams, oldest first. */
  readonly writes: readonly Write[];
  /** The records that it creates. */
  readonly created: CreatedRecords;
  /** True for a row that came beside a create, and is shown with its answer. */
  readonly isHeld: (url: string) => boolean;
  readonly urls: RowUrls;
  /** What rows show that were made ahead of time. */
  readonly shows: WeakMap<object, { readonly id: string; readonly below: unknown }>;
  /** Those whose rows are known. */
  readonly views: ReadonlySet<View>;
}

/** One view's rows with this client's own writes shown ahead of time. */
export class Overlay {
  readonly #view: View;
  readonly #context: OverlayContext;
  #settled: WeakSet<Write> = new WeakSet();
  /** What entered since a create was made, and what came since a write was answered, by the write's id. */
  readonly #entered: Map<string, Set<string>> = new Map();
  readonly #seen: Map<string, Set<string>> = new Map();
  readonly #wholeAt: Map<string, number> = new Map();
  #shown: Overlaid | undefined;

  constructor(view: View, context: OverlayContext) {
    this.#view = view;
    this.#context = context;
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
    const traces = { url, seen, wholeAt: this.#wholeAt.get(write.id) };
    if (!isShown(write, this.#view.feed, traces)) return false;
    if (write.kind !== "create" && !this.#settleCreates(url)) return false;
    this.#settled.add(write);
    for (const noted of [this.#seen, this.#entered, this.#wholeAt]) noted.delete(write.id);
    return true;
  }

  /** Nothing will come for a view that nobody follows: what was written is kept in it, and it begins anew some day. */
  #keep(write: Write): boolean {
    const { feed } = this.#view;
    if (feed.hasState) feed.adopt(this.#layOver([write]).entries);
    this.#settled.add(write);
    return true;
  }

  /** Settles a record's create ahead of its later changes: while it is laid over, it needs them, or comes back as it was. */
  #settleCreates(url: string): boolean {
    const isCreate = (one: Write): boolean => one.kind === "create" && this.#context.created.of(one) === url;
    return this.#context.writes.filter(isCreate).every((one) => this.settle(one));
  }

  /** Notes what came. */
  note(batch: readonly HttpResponse[]): void {
    for (const write of this.#context.writes) {
      if (write.state === "answered") this.#noteSeen(write, batch);
      if (write.kind === "create") this.#noteEntered(write, batch);
    }
  }

  #noteSeen(write: Write, batch: readonly HttpResponse[]): void {
    const urls = this.#seen.get(write.id) ?? new Set();
    this.#seen.set(write.id, urls);
    for (const message of batch) {
      const url = urlIn(message);
      if (message.status === 200) this.#noteWhole(write, urls);
      else if (url !== undefined) urls.add(url);
    }
  }

  #noteEntered(write: Write, batch: readonly HttpResponse[]): void {
    const urls = this.#entered.get(write.id) ?? new Set();
    this.#entered.set(write.id, urls);
    for (const url of enteredIn(this.#view.feed, batch)) urls.add(url);
  }

  /** A whole shows a changed record as it is; that a created one is not in it tells nothing, for it may be older. */
  #noteWhole(write: Write, urls: Set<string>): void {
    if (write.kind !== "create") urls.add(this.#context.created.of(write));
    if (write.state === "answered" && !this.#wholeAt.has(write.id))
      this.#wholeAt.set(write.id, this.#view.feed.heardAt);
  }
}
