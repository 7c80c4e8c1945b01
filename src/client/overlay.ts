import { fieldValue, type HttpResponse, isAtOrAfter } from "../protocol/index.ts";
import { isDeepEqual } from "./deep-equal.ts";
import type { Feed } from "./feed.ts";
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
  return isSeen || (feed.isCaughtUp && (elapsedMs >= settleMs || elapsedMs < clockSetBackMs));
}

/** A list with writes shown ahead of time. */
interface Overlaid {
  readonly rows: readonly unknown[];
  /** The rows that the overlay made, by URL. */
  readonly made: ReadonlyMap<string, unknown>;
  /** The rows that the server has not confirmed. */
  readonly pending: ReadonlySet<unknown>;
}

function merge(row: unknown, values: Readonly<Record<string, unknown>>): unknown {
  return { ...(row as object), ...values };
}

/** True where a row that came in the stream must be the record that a create is about to make. */
function isSameRecord(row: unknown, write: Write): boolean {
  return (
    typeof row === "object" &&
    row !== null &&
    Object.entries(write.values).every(([name, value]) => isDeepEqual(Reflect.get(row, name), value))
  );
}

/** What such a list is made of. */
interface OverlayParts {
  readonly feed: Feed;
  /** The writes that the feed does not show yet, in order. */
  readonly writes: readonly Write[];
  /** Real URLs by temporary ones. */
  readonly created: ReadonlyMap<string, string>;
  /** The URLs that entered since a create was made, by its id. */
  readonly entered: ReadonlyMap<string, ReadonlySet<string>>;
  readonly urls: RowUrls;
  readonly shows: OverlayContext["shows"];
  /** What was shown before: rows that are equal keep their identity. */
  readonly before: Overlaid | undefined;
}

/** Shows writes on top of a feed's rows: created records at the end, changed ones changed, destroyed ones gone. */
function layOver({ feed, writes, created, entered, urls, shows, before }: OverlayParts): Overlaid {
  const { replica } = feed;
  const byUrl = new Map(replica.entries.map(({ url, row }) => [url, row]));
  const pending = new Set<unknown>();
  const made = new Map<string, unknown>();
  const show = (url: string, shown: unknown, { id, state }: Write): void => {
    const isPending = state !== "answered";
    // A row that is confirmed is another one than the pending one, so that whoever shows it draws it anew.
    const last = before?.pending.has(before.made.get(url)) === isPending ? before.made.get(url) : undefined;
    const row = [last, isPending ? undefined : replica.get(url)].find((one) => isDeepEqual(one, shown)) ?? shown;
    pending.delete(byUrl.get(url));
    byUrl.set(url, row);
    made.set(url, row);
    noteUrl(urls, row, url);
    if (!isPending) return;
    pending.add(row);
    shows.set(row as object, { id, below: replica.get(url) });
  };
  for (const write of writes) {
    const url = created.get(write.url) ?? write.url;
    const isPending = write.state !== "answered";
    if (write.kind === "create") {
      const temporary = temporaryUrl + write.id;
      const real = created.get(temporary);
      const come = [...(entered.get(write.id) ?? [])].some((one) => isSameRecord(replica.get(one), write));
      if (write.view !== feed.target || come || (real !== undefined && replica.get(real) !== undefined)) continue;
      show(real ?? temporary, isPending ? { ...write.values } : (write.row ?? { ...write.values }), write);
    } else if (!byUrl.has(url)) continue;
    else if (write.kind === "destroy") byUrl.delete(url);
    else {
      const changed = merge(byUrl.get(url), write.values);
      show(url, isPending ? changed : (write.row ?? changed), write);
    }
  }
  return { rows: [...byUrl.values()], made, pending };
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
  /** Real URLs by temporary ones. */
  readonly created: ReadonlyMap<string, string>;
  readonly urls: RowUrls;
  /** What rows show that were made ahead of time. */
  readonly shows: WeakMap<object, { readonly id: string; readonly below: unknown }>;
  /** The URL of the record that a write is about. */
  urlOf(write: Write): string;
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
    const writes = this.#context.writes.filter((write) => !this.isSettled(write));
    const { created, urls, shows } = this.#context;
    const parts = { feed, writes, created, urls, shows, entered: this.#entered, before: this.#shown };
    this.#shown = writes.length > 0 ? layOver(parts) : undefined;
    return this.#shown?.rows ?? feed.replica.rows;
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

  /** True once the feed shows a write without help. */
  isSettled(write: Write): boolean {
    if (this.#settled.has(write)) return true;
    // A created record may have entered before the answer told its URL.
    const seen = new Set([...(this.#seen.get(write.id) ?? []), ...(this.#entered.get(write.id) ?? [])]);
    const url = this.#context.urlOf(write);
    const traces = { url, seen, wholeAt: this.#wholeAt.get(write.id) };
    if (!isShown(write, this.#view.feed, traces) || this.#isToCome(write, url)) return false;
    this.#settled.add(write);
    for (const noted of [this.#seen, this.#entered, this.#wholeAt]) noted.delete(write.id);
    return true;
  }

  /** True while a record is laid over that was created here: it needs its later changes, or comes back as it was. */
  #isToCome({ kind }: Write, url: string): boolean {
    const { writes } = this.#context;
    const isCreate = (one: Write): boolean => one.kind === "create" && this.#context.urlOf(one) === url;
    return kind !== "create" && writes.some((one) => isCreate(one) && !this.isSettled(one));
  }

  /** Notes what came. */
  note(batch: readonly HttpResponse[]): void {
    for (const write of this.#context.writes) {
      const note = write.state === "answered" ? this.#seen : write.kind === "create" ? this.#entered : undefined;
      if (!note) continue;
      const urls = note.get(write.id) ?? new Set();
      note.set(write.id, urls);
      for (const message of batch) {
        const url = fieldValue(message.fields, "content-location");
        if (message.status === 200) this.#noteWhole(write, urls);
        else if (url !== undefined && (note === this.#seen || message.status === 201)) urls.add(url);
      }
    }
  }

  /** A whole shows a changed record as it is; that a created one is not in it tells nothing, for it may be older. */
  #noteWhole(write: Write, urls: Set<string>): void {
    if (write.kind !== "create") urls.add(this.#context.urlOf(write));
    if (write.state === "answered" && !this.#wholeAt.has(write.id))
      this.#wholeAt.set(write.id, this.#view.feed.heardAt);
  }
}
