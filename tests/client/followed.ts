import { isDeepStrictEqual } from "node:util";
import type { Client, Status, Subscription } from "../../src/client/index.ts";
import type { StoredRow } from "../../src/testing/index.ts";

/** Somebody who follows a URL through a client, and what it makes of that. */
export interface Followed {
  readonly target: string;
  /** Throws where something is shown that must never be. */
  check(): void;
  /** The rows that are known; `undefined` where it failed. */
  rows(): readonly unknown[] | undefined;
  /** True where nothing waits for the server. */
  readonly isSettled: boolean;
  readonly state: string;
  stop(): void;
}

/** The size of a row in the midst of a transaction, which nobody may see at Level 1. */
export const midstSize = 99;

/** What whoever follows needs of the world. */
export interface Surroundings {
  readonly kind: string;
  readonly client: Client;
  readonly atHandshake: ReadonlyMap<number, number>;
}

/** True for a view that the server refused or ended. */
export function hasEnded({ state }: { readonly state: string }): boolean {
  return state === "failed" || state === "gone";
}

function require(isTrue: boolean, what: () => string): void {
  if (!isTrue) throw new Error(what());
}

/** Whoever follows by the answers: what a list or record becomes if one does what they say. */
export class Replayed implements Followed {
  readonly target: string;
  readonly isSettled: boolean = true;
  /** Where records may go back, as at Level 0, where the order of a GET and a notification is not known. */
  readonly mayGoBack: boolean;
  readonly #world: Surroundings;
  readonly #subscription: Subscription;
  #byUrl: Map<string, StoredRow> = new Map();
  readonly #newest: Map<string, number> = new Map();
  /** True once it was refused as an iterable, which ends by that. */
  isOver = false;
  #hasBegun = false;
  #trouble: Error | undefined;

  constructor(world: Surroundings, target: string, way: "callback" | "iterable") {
    this.target = target;
    this.mayGoBack = world.kind !== "level-1";
    this.#world = world;
    const { client } = world;
    if (way === "callback") {
      const onStatus = (status: Status): void => this.#noteStatus(status);
      this.#subscription = client.subscribe(target, (_request, response, body) => this.#take(response, body), {
        onStatus,
      });
    } else {
      this.#subscription = client.subscribe(target);
      void this.#read();
    }
  }

  get state(): string {
    return this.isOver ? "failed" : this.#subscription.status.state;
  }

  check(): void {
    if (this.#trouble) throw this.#trouble;
  }

  rows(): readonly unknown[] | undefined {
    if (hasEnded(this)) return undefined;
    return [...this.#byUrl.values()].sort((a, b) => a.id - b.id);
  }

  stop(): void {
    this.#subscription.close();
  }

  /** Once it is said to be live, everything that was there when the connection was made is here. */
  #noteStatus({ state }: Status): void {
    if (state !== "live" || this.target !== "/a" || this.mayGoBack) return;
    for (const [id, version] of this.#world.atHandshake) {
      const known = this.#byUrl.get(`/a/${id}`)?.v ?? version;
      if (Number(known) < version)
        this.#trouble ??= new Error(`Live with version ${known} of /a/${id}, not ${version}.`);
    }
  }

  async #read(): Promise<void> {
    try {
      for await (const response of this.#subscription) {
        this.#take(response, response.status === 204 ? undefined : await response.json());
      }
    } catch {
      this.isOver = true;
    }
  }

  #take({ status, headers }: Response, body: unknown): void {
    try {
      if (status === 200) this.#replace(body);
      else this.#apply(status, headers.get("content-location") ?? "", body);
    } catch (error) {
      this.#trouble ??= error as Error;
    }
  }

  #replace(body: unknown): void {
    const [content] = Object.values(body as object) as [StoredRow | StoredRow[]];
    this.#hasBegun = true;
    this.#byUrl = new Map();
    for (const row of [content].flat())
      this.#keep(`${this.target.split("/").slice(0, 2).join("/").split("?")[0]}/${row.id}`, row);
  }

  #apply(status: number, location: string, body: unknown): void {
    // What only a fragment names is known here by what would be its URL.
    const url = location.replace("#", "/");
    require(this.#hasBegun, () => `${status} ${url} came before a 200.`);
    if (status === 204) this.#byUrl.delete(url);
    else {
      const { record } = body as { record?: StoredRow };
      this.#keep(url, record ?? (body as StoredRow));
    }
  }

  #keep(url: string, row: StoredRow): void {
    const newest = this.#newest.get(url) ?? 0;
    const version = Number(row.v);
    require(this.mayGoBack || version >= newest, () => `${url} went back from version ${newest} to ${version}.`);
    this.#newest.set(url, version);
    this.#byUrl.set(url, row);
  }
}

/** What whoever looks has to know. */
export interface LookedOptions {
  /** Where what lies between may be seen, as at Level 0. */
  readonly mayGoBack: boolean;
  /** Where a row may be drawn twice: one that an own write leads from one list into another. */
  readonly mayBeAnother: boolean;
  /** Whether whoever made the write of that tag still waits. */
  readonly isUnanswered: (tag: string) => boolean;
  /** Whether a create is not answered. */
  readonly isCreating: () => boolean;
  /** Called at the end of each call of the listener; may throw. */
  readonly atLast: () => void;
}

/** Whoever looks at a live list or record. */
export class Looked implements Followed {
  readonly target: string;
  readonly #mayBeAnother: boolean;
  readonly #client: Client;
  readonly #isRecord: boolean;
  readonly #isUnanswered: LookedOptions["isUnanswered"];
  readonly #isCreating: LookedOptions["isCreating"];
  /** The URLs of what was shown while a create was not answered. */
  readonly #early: Set<string> = new Set();
  readonly #stop: () => void;
  #before: Map<string, unknown> = new Map();
  readonly #keys: Map<string, string> = new Map();
  #pending: ReadonlySet<string> = new Set();
  #last: unknown;
  #calls = 0;
  #callsBefore = 0;
  #trouble: Error | undefined;

  constructor(client: Client, target: string, options: LookedOptions) {
    const { mayGoBack, isUnanswered, isCreating, atLast } = options;
    this.#mayBeAnother = options.mayBeAnother;
    this.#client = client;
    this.target = target;
    this.#isUnanswered = isUnanswered;
    this.#isCreating = isCreating;
    this.#isRecord = /^\/\w+\/\d/.test(target);
    this.#stop = this.live.subscribe(() => {
      this.#calls += 1;
      try {
        this.#sample();
        const midst = mayGoBack ? undefined : this.shown.find(({ size }) => size === midstSize);
        require(!midst, () => `${target} is seen in the midst of a transaction: ${JSON.stringify(midst)}`);
      } catch (error) {
        this.#trouble ??= error as Error;
      }
      atLast();
    });
    this.#last = this.live.getSnapshot();
  }

  get live() {
    return this.#isRecord ? this.#client.record<StoredRow>(this.target) : this.collection;
  }

  get collection() {
    return this.#client.collection<StoredRow, Record<string, unknown>>(this.target);
  }

  get state(): string {
    return this.live.getSnapshot().status.state;
  }

  get shown(): readonly StoredRow[] {
    const snapshot = this.live.getSnapshot();
    return "rows" in snapshot ? snapshot.rows : snapshot.row ? [snapshot.row] : [];
  }

  get isSettled(): boolean {
    return !this.shown.some((row) => this.#isPending(row));
  }

  rows(): readonly unknown[] | undefined {
    return hasEnded(this) ? undefined : this.shown;
  }

  stop(): void {
    this.#stop();
  }

  #isPending(row: StoredRow): boolean {
    return this.#isRecord ? this.#client.record(this.target).isPending : this.collection.isPending(row);
  }

  /** The URL of a row; what names it where it has none, since the server did not find it there. */
  urlOf(row: StoredRow): string {
    if (this.#isRecord) return this.target;
    try {
      return this.collection.urlOf(row);
    } catch {
      return row.id === undefined ? "" : `${this.target.split("?")[0]}#${row.id}`;
    }
  }

  check(): void {
    if (this.#trouble) throw this.#trouble;
    const snapshot = this.live.getSnapshot();
    require(snapshot === this.live.getSnapshot(), () => `${this.target}: two snapshots of one state.`);
    require(snapshot === this.#last || this.#calls > this.#callsBefore, () =>
      `${this.target}: the snapshot is another, and nobody was told.`);
    this.#last = snapshot;
    this.#callsBefore = this.#calls;
    this.#sample();
  }

  /** A row that is shown is what the list's query asks for, and is known by one key. */
  #checkPlace(row: StoredRow, url: string): void {
    if (this.#isRecord) return;
    for (const [name, text] of new URLSearchParams(this.target.split("?")[1])) {
      require(String(row[name]) === text, () => `${this.target}: ${url} has another ${name}: ${JSON.stringify(row)}.`);
    }
    const key = this.collection.keyOf(row);
    // What is shown before it has a URL is known by its tag.
    const tag = this.#isUnanswered(String(row.tag)) ? `tag ${row.tag}` : url;
    const before = this.#keys.get(url) ?? this.#keys.get(tag) ?? key;
    // Where both were shown before the answer told that they are one, the key of the row that stood for it stays.
    const isBoth = this.#keys.get(key) === key;
    // So it is where what a create made was changed before its answer, and only that is shown here.
    if (before === key && key === url && this.#isCreating()) this.#early.add(url);
    const isJoined = before === url && key.startsWith("urn:uuid:") && (isBoth || this.#early.has(url));
    this.#keys.set(url, key).set(tag, key);
    require(key === before || isJoined, () => `${this.target}: the key of ${url} was ${before}, and is ${key}.`);
  }

  /** Each row has its own URL, and is the object that it was where it is equal. */
  #sample(): void {
    const now = new Map<string, unknown>();
    const tags = this.shown.flatMap(({ tag }) => tag ?? []);
    const twice = tags.find((tag, at) => tags.indexOf(tag) !== at);
    require(twice === undefined, () => `${this.target}: what ${twice} wrote is there twice.`);
    for (const row of this.shown) {
      const url = this.urlOf(row);
      require(!now.has(url), () => `${this.target}: ${url} is there twice.`);
      this.#checkPlace(row, url);
      now.set(url, row);
      const before = this.#before.get(url);
      // A row that is confirmed is another one than the pending one: it is drawn in another way.
      const isPending = this.#isPending(row);
      const isAlike = isPending === this.#pending.has(url);
      require(before === row || !isAlike || this.#mayBeAnother || !isDeepStrictEqual(before, row), () =>
        `${this.target}: ${url} is another object, and equal: ${JSON.stringify(row)}.`);
    }
    this.#before = now;
    this.#pending = new Set(this.shown.flatMap((row) => (this.#isPending(row) ? this.urlOf(row) : [])));
  }
}
