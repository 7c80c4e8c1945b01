import { isValue } from "../protocol/index.ts";
import type { StoredWrite } from "./write.ts";

/** Where queued writes outlive a reload: `localStorage`, or anything with these two methods, also asynchronous ones. */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
}

/** Keeps the writes of one origin in a storage, those of other tabs beside its own. What can't be kept is left out. */
export class WriteStore {
  readonly #storage: ClientStorage;
  readonly #key: string;
  readonly #user: string;
  /** The writes of this tab in their order; `undefined` in the place of those that are to be forgotten. */
  readonly #own: Map<string, StoredWrite | undefined> = new Map();
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param base - the origin's base URL, which names the entry
   * @param user - whose writes are given out; the others' stay where they are
   */
  constructor(storage: ClientStorage, base: string, user: string) {
    this.#storage = storage;
    this.#user = user;
    this.#key = `rocket-writes:${base}`;
  }

  /** What was left behind. */
  load(): Promise<readonly StoredWrite[]> {
    const read = async () => parse(await this.#storage.getItem(this.#key)).filter((write) => this.#isOwn(write));
    return this.#inTurn(read).catch(() => []);
  }

  /** Forgets all that the user left behind, and keeps nothing more. */
  async clear(): Promise<void> {
    const left = await this.load();
    for (const id of [...this.#own.keys(), ...left.map((write) => write.id)]) this.#own.set(id, undefined);
    await this.#save();
  }

  #isOwn({ user = "" }: StoredWrite): boolean {
    return user === this.#user;
  }

  /** Keeps a write, in the place of an older state of it. */
  put(write: StoredWrite): Promise<void> {
    this.#own.set(write.id, write);
    return this.#save();
  }

  /** Forgets a write. */
  remove(id: string): Promise<void> {
    this.#own.set(id, undefined);
    return this.#save();
  }

  async #save(): Promise<void> {
    const { navigator } = globalThis as { navigator?: { locks?: LockManager } };
    try {
      // At once, for the page may be about to close …
      const first = await this.#inTurn(() => this.#merge());
      // … and again, one tab after another: tabs that save at the same moment overwrite each other.
      const second = await navigator?.locks?.request(this.#key, () => this.#inTurn(() => this.#merge()));
      for (const id of second ?? first) this.#own.delete(id);
    } catch {
      // It is full, or not to be used here: the writes are sent all the same.
    }
  }

  /** Lays this tab's writes over what is kept; gives the ids of those that are forgotten now. */
  async #merge(): Promise<readonly string[]> {
    const done = [...this.#own.keys()].filter((id) => this.#own.get(id) === undefined);
    const before = (await this.#storage.getItem(this.#key)) ?? "[]";
    const others = parse(before).filter(({ id }) => !this.#own.has(id));
    const after = JSON.stringify([...others, ...[...this.#own.values()].filter((write) => write !== undefined)]);
    if (after !== before) await this.#storage.setItem(this.#key, after);
    return done;
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(action);
    this.#last = done.catch(() => {});
    return done;
  }
}

const kinds: readonly unknown[] = ["create", "update", "destroy"];

/** Whether a write was kept by a client: anybody may have put something else there. */
function isStoredWrite(value: unknown): value is StoredWrite {
  const { id, kind, view, url, values, etag = "", base = {}, user = "", madeAt = 0, batch = "none" } = Object(value);
  const areObjects = [values, base].every((one) => typeof one === "object" && one !== null && !Array.isArray(one));
  const areTexts = [id, view, url, etag, user, batch].every((text) => typeof text === "string");
  if (!areTexts || !areObjects || !Number.isFinite(madeAt) || !isWritable({ values, base })) return false;
  return [id, batch].every((text) => /^[\w-]{1,64}$/.test(text)) && kinds.includes(kind) && isValue(etag);
}

/** Whether it can be sent: not where it is nested too deeply. */
function isWritable(values: object): boolean {
  try {
    return JSON.stringify(values) !== undefined;
  } catch {
    return false;
  }
}

function parse(text: string | null): readonly StoredWrite[] {
  try {
    const read: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(read) ? read.filter(isStoredWrite) : [];
  } catch {
    return [];
  }
}
