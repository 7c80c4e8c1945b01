import { expect, it, onTestFinished, vi } from "vitest";
import { type ClientStorage, WriteStore } from "../../src/client/storage.ts";
import type { StoredWrite } from "../../src/client/write.ts";
import { Locks } from "./locks.ts";

const base = "http://127.0.0.1/";

function writeOf(id: string): StoredWrite {
  return { id, kind: "create", view: "/notes", url: "/notes", values: { text: id }, user: "" };
}

/** A storage that takes its time, and what it keeps. */
class SlowStorage implements ClientStorage {
  readonly #kept: Map<string, string> = new Map();

  async getItem(key: string): Promise<string | null> {
    return this.#kept.get(key) ?? null;
  }

  async setItem(key: string, value: string): Promise<void> {
    await Promise.resolve();
    this.#kept.set(key, value);
  }
}

async function kept(storage: ClientStorage): Promise<readonly string[]> {
  return (await new WriteStore(storage, base, "").load()).map(({ id }) => id);
}

it("Tabs that keep writes at the same moment keep all of them", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  onTestFinished(() => void vi.unstubAllGlobals());
  const storage = new SlowStorage();
  const [one, other] = [new WriteStore(storage, base, ""), new WriteStore(storage, base, "")];

  await Promise.all([one.put(writeOf("a")), other.put(writeOf("b")), one.put(writeOf("c")), other.put(writeOf("d"))]);
  expect([...(await kept(storage))].sort()).toEqual(["a", "b", "c", "d"]);

  await Promise.all([one.remove("a"), other.remove("d"), other.put(writeOf("e"))]);
  expect([...(await kept(storage))].sort()).toEqual(["b", "c", "e"]);
});

it("Writes are kept in their order, one that changes in its place, and what was left behind before them", async () => {
  const storage = new SlowStorage();
  await new WriteStore(storage, base, "").put(writeOf("old"));
  const store = new WriteStore(storage, base, "");

  await Promise.all([
    store.put(writeOf("a")),
    store.put(writeOf("b")),
    store.put({ ...writeOf("a"), url: "/notes/1" }),
  ]);
  expect(await kept(storage)).toEqual(["old", "a", "b"]);
  expect((await store.load())[1]?.url).toBe("/notes/1");

  await store.remove("old");
  expect(await kept(storage)).toEqual(["a", "b"]);
});

it("A storage that is full or forbidden stops nothing", async () => {
  const fail = (): never => {
    throw new Error("full");
  };
  const full = new WriteStore({ getItem: () => null, setItem: fail }, base, "");
  const forbidden = new WriteStore({ getItem: fail, setItem: fail }, base, "");

  await expect(full.put(writeOf("a"))).resolves.toBeUndefined();
  await expect(full.remove("a")).resolves.toBeUndefined();
  await expect(forbidden.load()).resolves.toEqual([]);
  await expect(forbidden.put(writeOf("a"))).resolves.toBeUndefined();
});
