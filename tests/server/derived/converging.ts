import { type Field, fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import type { Hub } from "../../../src/server/index.ts";
import { connectMemoryPeer, type MemoryPeer, type Random, Replica } from "../../../src/testing/index.ts";
import type { DocumentStore } from "./store.ts";

/** Somebody who follows a document, and what it makes of that. */
export interface Follower {
  readonly target: string;
  peer: MemoryPeer | undefined;
  /** True where it has to connect anew to go on. */
  readonly isOver: boolean;
  connect(random: Random): Promise<void>;
  disconnect(): void;
  /** What it takes the document for, and what the document is: to be compared. */
  compare(store: DocumentStore): readonly [unknown, unknown];
  readonly history: Replica["history"];
}

/** A row's name, with a URL of its own or without. */
function named(url: string): string {
  return url.replace("#", "/");
}

interface Rows {
  readonly urls: readonly string[];
  readonly texts: readonly string[];
}

/** The rows of a document as the store has it; of one without records, the document itself. */
function rowsOf(target: string, document: unknown): Rows {
  if (target === "/whole") return { urls: [target], texts: [JSON.stringify(document)] };
  const path = target.split("?")[0] ?? "";
  const list = Array.isArray(document)
    ? document
    : Object.values(document as Record<string, unknown>).find((value) => Array.isArray(value));
  const rows = list as readonly { readonly id?: number; readonly href?: string }[];
  return {
    urls: rows.map(({ id, href }) => href ?? `${path}/${id}`),
    texts: rows.map((row) => JSON.stringify(row)),
  };
}

/** A Level 1 client, by its handshake or in band. */
export class Level1Follower implements Follower {
  readonly target: string;
  peer: MemoryPeer | undefined;
  readonly #hub: Hub;
  readonly #isInBand: boolean;
  readonly #replica: Replica;
  #isRefused = false;

  constructor(hub: Hub, target: string, isInBand: boolean) {
    this.#hub = hub;
    this.target = target;
    this.#isInBand = isInBand;
    this.#replica = new Replica(target);
  }

  get history(): Replica["history"] {
    return this.#replica.history;
  }

  get isOver(): boolean {
    return !this.peer || this.peer.closing !== undefined || this.#isRefused;
  }

  async connect(random: Random): Promise<void> {
    this.disconnect();
    const { position } = this.#replica;
    const resume: Field[] = position !== undefined && random.chance(0.7) ? [["Last-Event-ID", position]] : [];
    const onMessage = (message: HttpResponse): void => {
      const isOurs = !this.#isInBand || fieldValue(message.fields, "subscription") === this.target;
      if (isOurs) this.#replica.take(message);
      if (this.#isInBand && message.status >= 400) this.#isRefused = true;
    };
    const host: Field = ["Host", "h"];
    if (this.#isInBand) {
      this.peer = await connectMemoryPeer(this.#hub, "/.well-known/rocket", { fields: [host], onMessage });
      this.peer.request("SUBSCRIBE", this.target, [["Request-ID", "1"], ...resume]);
    } else {
      this.peer = await connectMemoryPeer(this.#hub, this.target, { fields: [host, ...resume], onMessage });
    }
  }

  disconnect(): void {
    this.peer?.disconnect();
    this.peer = undefined;
    this.#isRefused = false;
    this.#replica.disconnected();
    this.#replica.ended = undefined;
  }

  compare(store: DocumentStore): readonly [unknown, unknown] {
    const { order, records, ended } = this.#replica;
    const document = store.document(this.target);
    const isWhole = records.has(this.target);
    const { urls, texts } = isWhole
      ? { urls: [this.target], texts: [JSON.stringify(document)] }
      : rowsOf(this.target, document);
    const known = isWhole ? [...records.keys()] : order;
    return [
      { urls: known.map(named), texts: known.map((url) => records.get(url)), count: records.size, ended },
      { urls, texts, count: urls.length, ended: undefined },
    ];
  }
}

/** A Level 0 client: it opens first and GETs then, and takes 201 and 202 for the record as it is now. */
export class Level0Follower implements Follower {
  readonly target: string;
  peer: MemoryPeer | undefined;
  readonly history: Replica["history"] = [];
  readonly #hub: Hub;
  readonly #store: DocumentStore;
  #records: Map<string, string> = new Map();
  #attempts = 0;

  constructor(hub: Hub, store: DocumentStore, target: string) {
    this.#hub = hub;
    this.#store = store;
    this.target = target;
  }

  get isOver(): boolean {
    return !this.peer || this.peer.closing !== undefined;
  }

  async connect(): Promise<void> {
    this.disconnect();
    const early: HttpResponse[] = [];
    let take = (message: HttpResponse): void => {
      early.push(message);
    };
    const onMessage = (message: HttpResponse): void => take(message);
    this.#attempts += 1;
    const attempt = this.#attempts;
    const peer = await connectMemoryPeer(this.#hub, this.target, { level: 0, fields: [["Host", "h"]], onMessage });
    if (attempt !== this.#attempts) {
      peer.disconnect();
      return;
    }
    this.peer = peer;
    const { urls, texts } = rowsOf(this.target, this.#store.document(this.target));
    this.#records = new Map(urls.map((url, at) => [url, texts[at] ?? ""]));
    take = (message) => this.#take(message);
    for (const message of early) take(message);
  }

  disconnect(): void {
    this.#attempts += 1;
    this.peer?.disconnect();
    this.peer = undefined;
  }

  compare(store: DocumentStore): readonly [unknown, unknown] {
    const { urls, texts } = rowsOf(this.target, store.document(this.target));
    const sorted = (entries: Iterable<readonly [string, string]>) => [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      sorted([...this.#records].map(([url, row]) => [named(url), row] as const)),
      sorted(urls.map((url, at) => [url, texts[at] ?? ""] as const)),
    ];
  }

  #take({ status, fields, body }: HttpResponse): void {
    const url = fieldValue(fields, "content-location") ?? "";
    // It knows rows by the URLs that it guessed.
    if (status === 204) this.#records.delete(named(url));
    else this.#records.set(named(url), String(body));
  }
}
