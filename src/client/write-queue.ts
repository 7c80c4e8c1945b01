import type { Callbacks } from "./callbacks.ts";
import { CreatedRecords } from "./created.ts";
import type { Feed } from "./feed.ts";
import type { Http } from "./http.ts";
import { next } from "./machine.ts";
import { codedError } from "./problem.ts";
import { ignore, queued, stored } from "./queued-write.ts";
import { temporaryUrl } from "./row-urls.ts";
import { type ClientStorage, WriteStore } from "./storage.ts";
import type { StoredWrite, Write } from "./write.ts";
import { type WriteEvent, writeTransitions } from "./write-state.ts";

/** What the queue of writes needs. */
export interface WriteQueueOptions {
  readonly http: Http;
  /** Where queued writes outlive a reload. */
  readonly storage: ClientStorage | undefined;
  /** Whose they are; empty where nobody is named. */
  readonly user: string;
  readonly callbacks: Callbacks;
  /** The views whose rows are known. */
  readonly views: ReadonlySet<{ readonly feed: Feed }>;
}

/** The writes that the streams do not show yet, oldest first, and what of them outlives a reload. */
export class WriteQueue {
  readonly writes: Write[] = [];
  readonly created: CreatedRecords;
  readonly #options: WriteQueueOptions;
  readonly #store: WriteStore | undefined;
  /** What refuses writes that a reload left behind: nobody waits for them. */
  readonly #refusals: WeakSet<Write["reject"]> = new WeakSet();

  constructor(options: WriteQueueOptions) {
    this.#options = options;
    const { storage, http, user, views } = options;
    this.created = new CreatedRecords(views);
    this.#store = storage && new WriteStore(storage, http.base.href, user);
  }

  /** Puts what a reload left behind before all that was made here, and tells of it; `undefined` where nothing is kept. */
  load(onLeft: (left: readonly StoredWrite[]) => void): Promise<void> | undefined {
    return this.#store?.load().then((all) => {
      const known = new Set(this.writes.map(({ id }) => id));
      const isOurs = (url: string): boolean => url.startsWith(temporaryUrl) || this.#options.http.isTarget(url);
      const left = all.filter(({ id, url }) => isOurs(url) && !known.has(id) && known.add(id));
      this.writes.unshift(...left.map((write) => queued(write, ignore, this.#refusalOf(write))));
      onLeft(left);
    });
  }

  /** The one whose turn it is. */
  get next(): Write | undefined {
    return this.writes.find(({ state }) => state !== "answered");
  }

  /** Those that are to be carried out with one, and itself, in their order. */
  together({ batch }: Write): Write[] {
    return this.writes.filter((one) => one.state !== "answered" && one.batch === batch);
  }

  /** True for one that a reload left behind. */
  isLeftBehind({ reject }: Write): boolean {
    return this.#refusals.has(reject);
  }

  add(write: StoredWrite, waiting: Pick<Write, "resolve" | "reject" | "onConflict" | "after">): void {
    void this.#store?.put(write);
    const { resolve, reject, onConflict, after } = waiting;
    this.writes.push({ ...queued(write, resolve, reject, onConflict), after });
  }

  move(write: Write, event: WriteEvent): void {
    write.state = next(writeTransitions, write.state, event);
  }

  /** Changes what is kept of a write. */
  change(write: Write, change: Partial<Write>): void {
    Object.assign(write, change);
    void this.#store?.put(stored(write));
  }

  /** Takes one out that is shown, or was refused. */
  remove(write: Write, event: "settle" | "refuse"): void {
    this.move(write, event);
    this.writes.splice(this.writes.indexOf(write), 1);
    this.created.forget(write);
  }

  /** Puts another write in the place of one that met another version. */
  replace(write: Write, again: StoredWrite): void {
    this.remove(write, "refuse");
    void this.forget(write);
    void this.#store?.put(again);
    const { resolve, reject, onConflict, rounds } = write;
    this.writes.unshift({ ...queued(again, resolve, reject, onConflict), rounds: rounds + 1 });
  }

  /** Keeps nothing more of one over a reload. */
  async forget({ id }: StoredWrite): Promise<void> {
    await this.#store?.remove(id);
  }

  /** Keeps nothing more of this user. */
  async clear(): Promise<void> {
    await this.#store?.clear();
  }

  /** Tells those who wait that nothing more is sent. What a reload left behind was refused by nobody, and its promise is gone. */
  close(reason: string): void {
    const waited = this.writes.filter((write) => write.state !== "answered" && !this.isLeftBehind(write));
    for (const write of waited) write.reject(codedError("closed", reason));
  }

  #refusalOf({ kind, url, values, madeAt }: StoredWrite): Write["reject"] {
    const write = { kind, url, values, madeAt };
    const refuse = (error: Error): void => this.#options.callbacks.report(error, { stage: "write", write });
    this.#refusals.add(refuse);
    return refuse;
  }
}
