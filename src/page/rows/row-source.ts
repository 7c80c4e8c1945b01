import type { Client, Collection, Status } from "../../client/index.ts";
import { Signal } from "../dom.ts";
import { messageOf } from "../refusal.ts";
import { countRows } from "./count-rows.ts";

/** A row as the API has it. */
export type Row = Readonly<Record<string, unknown>>;

/** Up to so many rows, all are followed; beyond, those that are looked at. */
const maxWhole = 1_000;

/** How many rows are followed together where not all are. */
const windowSize = 100;
/** How long one looks somewhere else until that is followed, in milliseconds. */
const settleMs = 120;
/** How long changes are waited for before rows are counted again, in milliseconds. */
const recountMs = 1_500;
/** After so long it is asked again where the server could not count them, in milliseconds. */
const laterMs = 10_000;

/** Whether a query asks for a part by itself. */
function asksForPart(query: string): boolean {
  return /(?:^|&)(?:limit|offset|after|page|per_page)=/.test(query);
}

/** Rows that are followed together. */
interface Window {
  readonly collection: Collection<Row>;
  readonly stop: () => void;
  /** As they were when they were heard of last. */
  rows: readonly Row[];
}

/** The rows of a URL, live: all of them where they are few, and those that are looked at where they are many. */
export class RowSource {
  readonly changed: Signal = new Signal();
  readonly path: string;
  readonly query: string;
  readonly #client: Client;
  readonly #windows: Map<number, Window> = new Map();
  #mode: "asking" | "whole" | "windows" = "asking";
  #counted: number | undefined;
  /** Whether the server says how many there are, as far as that is known. */
  #isCountable = false;
  #recount: ReturnType<typeof setTimeout> | undefined;
  /** The first and last page that are looked at. */
  #looked: readonly [first: number, last: number] = [0, 0];
  #settling: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  /** Why it can't be followed at all. */
  #trouble: Status | undefined;

  /** @param path - as the API has it, with `query` behind it */
  constructor(client: Client, path: string, query: string) {
    this.#client = client;
    this.path = path;
    this.query = query;
    void this.#begin();
  }

  /** Whether only what is looked at is followed. */
  get isWindowed(): boolean {
    return this.#mode === "windows";
  }

  /** How many rows there are, as far as that is known. */
  get total(): number {
    if (this.#mode === "whole") return this.#windows.get(0)?.collection.getSnapshot().rows.length ?? 0;
    let most = 0;
    for (const [page, { collection }] of this.#windows) {
      const { rows } = collection.getSnapshot();
      if (rows.length > 0) most = Math.max(most, page * windowSize + rows.length);
    }
    // What is refused has no rows, whatever was counted.
    return most === 0 && this.status.state === "failed" ? 0 : Math.max(most, this.#counted ?? 0);
  }

  /** Whether there are rows that can't be reached here. */
  get hasMore(): boolean {
    return this.#mode === "whole" && this.#windows.get(0)?.collection.getSnapshot().hasMore === true;
  }

  /** How well what is shown agrees with the server. */
  get status(): Status {
    if (this.#trouble) return this.#trouble;
    const all = [...this.#windows.values()].map(({ collection }) => collection.getSnapshot().status);
    return all.find(({ state }) => state !== "live") ?? all[0] ?? { state: "connecting" };
  }

  /** How many URLs are followed for it. */
  get followed(): number {
    return this.#windows.size;
  }

  /** The row at a place; `undefined` where it is not here yet. */
  at(index: number): Row | undefined {
    if (this.#mode === "whole") return this.#windows.get(0)?.collection.getSnapshot().rows[index];
    const page = Math.floor(index / windowSize);
    return this.#windows.get(page)?.collection.getSnapshot().rows[index - page * windowSize];
  }

  /** All rows that are here, with their places. */
  *known(): Generator<readonly [index: number, row: Row]> {
    for (const [page, { collection }] of this.#windows) {
      const { rows } = collection.getSnapshot();
      for (let at = 0; at < rows.length; at += 1) yield [page * windowSize + at, rows[at] as Row];
    }
  }

  /** What tells a row apart, also from one that is made here and not answered yet. */
  keyOf(row: Row): string {
    return this.#any.keyOf(row);
  }

  /** The row's URL; `undefined` where it has none. */
  urlOf(row: Row): string | undefined {
    try {
      return this.#any.urlOf(row);
    } catch {
      return undefined;
    }
  }

  /** True while it shows a write that is not answered yet. */
  isPending(row: Row): boolean {
    return this.#any.isPending(row);
  }

  /** The list that writes go to. */
  get list(): Collection<Row> {
    return this.#any;
  }

  /**
   * Creates a record. Whether a filter has it is the server's to say, so it is shown at once only where there is none.
   *
   * @returns its URL, where that is known
   * @throws what the client throws
   */
  async create(values: Row): Promise<string | undefined> {
    return this.urlOf(await this.#client.collection<Row>(this.path).create(values));
  }

  /** Says which rows are looked at. */
  look(from: number, to: number): void {
    if (this.#mode !== "windows") return;
    const [first, last] = [Math.floor(from / windowSize), Math.floor(Math.max(from, to - 1) / windowSize)];
    if (first === this.#looked[0] && last === this.#looked[1]) return;
    this.#looked = [first, last];
    clearTimeout(this.#settling);
    // Who drags the bar passes by most of what comes: it is not asked for.
    if ([...this.#windows.keys()].some((page) => this.#isNear(page))) this.#settle();
    else
      this.#settling = setTimeout(() => {
        this.#settle();
        // What was followed a moment ago is here at once, and tells nothing.
        this.changed.tell();
      }, settleMs);
  }

  /** Says that a record has come or gone, which no window may show. @param url - the record's, or a list's */
  moved(url: string): void {
    if (this.isWindowed && (url === this.path || url.startsWith(`${this.path}/`))) this.#countAgain();
  }

  /** Follows nothing any more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#recount);
    clearTimeout(this.#settling);
    for (const { stop } of this.#windows.values()) stop();
    this.#windows.clear();
  }

  /** Whether a page is looked at, or the next one to it. */
  #isNear(page: number): boolean {
    const [first, last] = this.#looked;
    return page >= first - 1 && page <= last + 1;
  }

  /** Follows what is looked at, and not what was before. */
  #settle(): void {
    const [first, last] = this.#looked;
    for (let page = first; page <= last; page += 1) this.#follow(page);
    for (const [page, { stop }] of this.#windows) {
      if (this.#isNear(page)) continue;
      stop();
      this.#windows.delete(page);
    }
  }

  get #any(): Collection<Row> {
    const [first] = this.#windows.values();
    return first?.collection ?? this.#client.collection<Row>(this.path);
  }

  get #target(): string {
    return this.query === "" ? this.path : `${this.path}?${this.query}`;
  }

  async #begin(): Promise<void> {
    const isPart = asksForPart(this.query);
    const counted = isPart ? undefined : await countRows(this.#client, this.#target);
    if (this.#isClosed || this.#mode !== "asking") return;
    this.#isCountable = counted !== undefined;
    this.#counted = counted === "later" ? undefined : counted;
    this.#mode = (this.#counted ?? 0) > maxWhole ? "windows" : "whole";
    try {
      this.#follow(0);
    } catch (error) {
      const detail = messageOf(error);
      this.#trouble = { state: "failed", problem: { type: "about:blank", title: detail, status: 404, detail } };
    }
    this.changed.tell();
  }

  #follow(page: number): void {
    if (this.#windows.has(page)) return;
    const window = this.#mode === "windows" ? { limit: windowSize, offset: page * windowSize } : {};
    const collection = this.#client.collection<Row>(this.#target, window);
    const stop = collection.subscribe(() => this.#hear());
    this.#windows.set(page, { collection, stop, rows: [] });
  }

  #hear(): void {
    // A list that has grown beyond what a GET gives is followed by what is looked at.
    if (this.hasMore && this.#isCountable) {
      const whole = this.#windows.get(0);
      this.#windows.clear();
      this.#mode = "windows";
      this.#counted = maxWhole + 1;
      this.#follow(0);
      whole?.stop();
      this.#countAgain();
    } else if (this.#mode === "windows") this.#noteMoves();
    this.changed.tell();
  }

  /** Counts again where other rows are in a window than before. */
  #noteMoves(): void {
    for (const window of this.#windows.values()) {
      const { rows } = window.collection.getSnapshot();
      if (window.rows.length > 0 && window.rows !== rows) this.#countAgain();
      window.rows = rows;
    }
  }

  #countAgain(waitMs = recountMs): void {
    this.#recount ??= setTimeout(async () => {
      const counted = await countRows(this.#client, this.#target);
      this.#recount = undefined;
      if (this.#isClosed) return;
      if (counted === "later") this.#countAgain(laterMs);
      if (typeof counted !== "number" || counted === this.#counted) return;
      this.#counted = counted;
      this.changed.tell();
    }, waitMs);
  }
}
