import type { CreatedRecords } from "./created.ts";
import { isDeepEqual } from "./deep-equal.ts";
import type { Feed } from "./feed.ts";
import { Placement } from "./placement.ts";
import type { Entry } from "./replica.ts";
import { noteUrl, type RowUrls, temporaryUrl } from "./row-urls.ts";
import { type Selected, selectedBy } from "./selected.ts";
import type { Write } from "./write.ts";

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
  readonly shows: WeakMap<object, { readonly write: Write; readonly below: unknown }>;
  /** Those whose rows are known. */
  readonly views: ReadonlySet<View>;
  /** Removes the writes that all views show by now. */
  settle(): void;
}

/** A list with writes shown ahead of time. */
export interface Overlaid {
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
export interface OverlayParts {
  readonly view: View;
  /** The writes that the feed does not show yet, in order. */
  readonly writes: readonly Write[];
  readonly context: OverlayContext;
  /** What was shown before: rows that are equal keep their identity. */
  readonly before: Overlaid | undefined;
}

/** Lays writes over a feed's rows: each row at its place in the list, where it is in it. */
export class Layer {
  readonly placement: Placement;
  readonly made: Map<string, unknown> = new Map();
  readonly pending: Set<unknown> = new Set();
  readonly #parts: OverlayParts;
  readonly #selected: Selected | undefined;
  /** The rows by URL, also those that are in the list no more, or not yet. */
  readonly #rows: Map<string, unknown>;
  /** Whether a URL is in the list by now. */
  readonly #isIn: Set<string>;

  constructor(parts: OverlayParts) {
    const { feed } = parts.view;
    this.#parts = parts;
    this.#selected = selectedBy(feed.target);
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
      const changed = merge(known, this.#shown(write.values));
      const answered = write.state === "answered" ? write.row : undefined;
      // Of what is selected, the answer to a write is not the row: it has less, or more.
      const isWhole = answered !== undefined && !this.#selected;
      this.#show(url, isWhole ? answered : answered ? merge(known, this.#shown(answered)) : changed, write);
    }
  }

  #create(write: Write): void {
    const { view, context } = this.#parts;
    const { replica, target } = view.feed;
    if (replica.isRecord || target.split("?")[0] !== write.url || this.#selected?.isGrouped) return;
    const { created } = context;
    const url = created.of(write);
    // The URL may be that of one that was destroyed.
    if (this.#rows.has(url)) return;
    const isPending = write.state !== "answered";
    const come = url.startsWith(temporaryUrl) ? created.arrived(write) : undefined;
    // A page before this one made it, and it was shown before that was known.
    if (come !== undefined && created.isShown(come)) return;
    // Until the answer says which it is, the record that came stands behind the one that is shown already.
    if (come !== undefined && isPending) this.#remove(come);
    else if (come !== undefined && replica.get(come) !== undefined) return;
    const values = { ...this.#shown(write.values) };
    this.#show(url, isPending || !write.row ? values : this.#shown(write.row), write);
  }

  /** What the list shows of a record's members. */
  #shown(row: unknown): Readonly<Record<string, unknown>> {
    const members = row as Readonly<Record<string, unknown>>;
    return this.#selected ? this.#selected.show(members) : members;
  }

  /** The record as another view of the same list shows it. */
  #rowElsewhere(url: string): unknown {
    const path = this.#parts.view.feed.target.split("?")[0];
    for (const { feed } of this.#parts.context.views) {
      // What another one selects is not all of the record.
      if (feed.target.split("?")[0] !== path || selectedBy(feed.target)) continue;
      const row = feed.replica.get(url);
      if (row !== undefined) return this.#shown(row);
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
    context.shows.set(row as object, { write, below: replica.get(url) });
  }
}
