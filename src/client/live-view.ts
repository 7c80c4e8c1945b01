import { fieldValue, type HttpResponse } from "../protocol/index.ts";
import type { Feed } from "./feed.ts";
import type { Outbox } from "./outbox.ts";
import type { Overlaid } from "./overlay.ts";
import type { Status } from "./status.ts";
import type { Write } from "./write.ts";

/** What a live view stands on. */
export interface LiveViewOptions {
  readonly target: string;
  /** The feed of a URL, the same for everyone who follows it at a time. */
  readonly feedOf: (target: string) => Feed;
  /** This client's writes, once there are any. */
  readonly outboxOf: () => Outbox | undefined;
  /** Called when something was shown that could settle a write. */
  readonly onShown: () => void;
}

/** What is to be seen of a view; the same object until something changes. */
export interface ViewSnapshot {
  readonly rows: readonly unknown[];
  readonly status: Status;
  /** True once there is something to show. */
  readonly hasState: boolean;
}

/** A feed's rows with this client's own writes shown ahead of time. */
export class LiveView {
  readonly target: string;
  readonly #options: LiveViewOptions;
  readonly #listeners: Set<() => void> = new Set();
  #feed: Feed;
  #unlisten: (() => void) | undefined;
  #settled: WeakSet<Write> = new WeakSet();
  /** What entered since a create was made, and what came since a write was answered, by the write's id. */
  readonly #entered: Map<string, Set<string>> = new Map();
  readonly #seen: Map<string, Set<string>> = new Map();
  #shown: Overlaid | undefined;
  #snapshot: ViewSnapshot | undefined;
  /** The version of the rows in the snapshot. */
  #seenVersion = -1;
  /** What listeners were told of last. */
  #told: { readonly status: Status; readonly version: number } | undefined;

  constructor(options: LiveViewOptions) {
    this.target = options.target;
    this.#options = options;
    this.#feed = options.feedOf(options.target);
  }

  get feed(): Feed {
    return this.#feed;
  }

  /** True while somebody looks. */
  get isActive(): boolean {
    return this.#unlisten !== undefined;
  }

  /** Calls the listener whenever the snapshot is another. Returns a function that ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (!this.#unlisten) {
      this.#feed = this.#options.feedOf(this.target);
      this.#feed.replica.shownAhead = (url) => this.#ahead(url);
      this.#unlisten = this.#feed.listen({
        messages: (batch) => this.#note(batch),
        changed: () => this.changed(),
      });
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#unlisten?.();
      this.#unlisten = undefined;
    };
  }

  getSnapshot(): ViewSnapshot {
    const { status, hasState, replica } = this.#feed;
    const before = this.#snapshot;
    const isSame = before?.status === status && before.hasState === hasState && this.#seenVersion === replica.version;
    // With writes laid over the rows, what is shown may change though no row did.
    if (before && isSame && !this.#shown && !this.#hasWrites()) return before;
    this.#seenVersion = replica.version;
    const shown = this.#rows();
    const isEqual = before?.rows.length === shown.length && shown.every((row, at) => row === before.rows[at]);
    const rows = before && isEqual ? before.rows : shown;
    if (before?.rows === rows && before.status === status && before.hasState === hasState) return before;
    this.#snapshot = { rows, status, hasState };
    return this.#snapshot;
  }

  /** True for a row that the server has not confirmed. */
  isPending(row: unknown): boolean {
    return this.#shown?.pending.has(row) ?? false;
  }

  /** True once this view shows a write without help. */
  isSettled(write: Write): boolean {
    return !this.#isOpen(write);
  }

  /** Writes or the feed have changed. */
  changed(): void {
    const before = this.#told;
    // Rows are made when somebody asks for them: a listener may look at one snapshot for many changes.
    const { status, replica } = this.#feed;
    const isQuiet =
      before?.status === status && before.version === replica.version && !this.#shown && !this.#hasWrites();
    this.#told = { status, version: replica.version };
    if (!isQuiet) for (const listener of [...this.#listeners]) listener();
    if (this.#hasWrites()) this.#options.onShown();
  }

  #ahead(url: string): unknown {
    const row = this.#shown?.made.get(url);
    return this.#shown?.pending.has(row) ? undefined : row;
  }

  #hasWrites(): boolean {
    return (this.#options.outboxOf()?.writes.length ?? 0) > 0;
  }

  #rows(): readonly unknown[] {
    const outbox = this.#options.outboxOf();
    const { replica } = this.#feed;
    const open = outbox?.writes.filter((write) => this.#isOpen(write)) ?? [];
    if (!outbox || open.length === 0) {
      this.#shown = undefined;
      return replica.rows;
    }
    this.#shown = outbox.overlay({ feed: this.#feed, writes: open, entered: this.#entered, before: this.#shown });
    return this.#shown.rows;
  }

  #isOpen(write: Write): boolean {
    if (this.#settled.has(write)) return false;
    // A created record may have entered before the answer told its URL.
    const seen = new Set([...(this.#seen.get(write.id) ?? []), ...(this.#entered.get(write.id) ?? [])]);
    if (!this.#options.outboxOf()?.isShown(write, this.#feed, seen)) return true;
    this.#settled.add(write);
    this.#seen.delete(write.id);
    this.#entered.delete(write.id);
    return false;
  }

  #note(batch: readonly HttpResponse[]): void {
    const outbox = this.#options.outboxOf();
    for (const write of outbox?.writes ?? []) {
      const note = write.state === "answered" ? this.#seen : write.kind === "create" ? this.#entered : undefined;
      if (!note) continue;
      const urls = note.get(write.id) ?? new Set();
      note.set(write.id, urls);
      for (const message of batch) {
        const url = fieldValue(message.fields, "content-location");
        if (message.status === 200) urls.add(outbox?.urlOf(write) ?? write.url);
        else if (url !== undefined && (note === this.#seen || message.status === 201)) urls.add(url);
      }
    }
  }
}
