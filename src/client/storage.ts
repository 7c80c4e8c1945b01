import type { StoredWrite } from "./write.ts";

/** Where queued writes outlive a reload: `localStorage`, or anything with these two methods, also asynchronous ones. */
export interface ClientStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
}

/** Keeps the writes of one origin in a storage, those of other tabs beside its own. */
export class WriteStore {
  readonly #storage: ClientStorage;
  readonly #key: string;
  #last: Promise<unknown> = Promise.resolve();

  /** @param base - the origin's base URL, which names the entry */
  constructor(storage: ClientStorage, base: string) {
    this.#storage = storage;
    this.#key = `rocket-writes:${base}`;
  }

  /** What was left behind. */
  load(): Promise<readonly StoredWrite[]> {
    return this.#inTurn(() => this.#read());
  }

  /** Keeps a write, in the place of an older state of it. */
  put(write: StoredWrite): Promise<void> {
    return this.#change((writes) => {
      const at = writes.findIndex(({ id }) => id === write.id);
      return at < 0 ? [...writes, write] : writes.with(at, write);
    });
  }

  /** Forgets a write. */
  remove(id: string): Promise<void> {
    return this.#change((writes) => writes.filter((write) => write.id !== id));
  }

  #change(change: (writes: readonly StoredWrite[]) => readonly StoredWrite[]): Promise<void> {
    return this.#inTurn(async () => {
      await this.#storage.setItem(this.#key, JSON.stringify(change(await this.#read())));
    });
  }

  async #read(): Promise<readonly StoredWrite[]> {
    try {
      const read: unknown = JSON.parse((await this.#storage.getItem(this.#key)) ?? "[]");
      return Array.isArray(read) ? read : [];
    } catch {
      return [];
    }
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const done = this.#last.then(action);
    this.#last = done.catch(() => {});
    return done;
  }
}
