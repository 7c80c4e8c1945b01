import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { createClient, type WebSocketConstructor } from "../../src/client/index.ts";
import { Locks } from "./locks.ts";

const origin = "http://example.test";
const runs = 1_000;
const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeAll(() => {
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
});

beforeEach(() => {
  unhandled.length = 0;
});

afterAll(() => {
  process.off("unhandledRejection", note);
  process.off("uncaughtException", note);
});

/** A socket that opens, and then says nothing. */
class QuietSocket {
  readyState = 0;
  onopen = (): void => {};
  onmessage = (_event: { data: string }): void => {};

  constructor(_url: string) {
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen();
      this.onmessage({ data: "HTTP/1.1 200 OK\r\n\r\n{}" });
    });
  }

  send(): void {}
  close(): void {}
}

const WebSocket = QuietSocket as unknown as WebSocketConstructor;
const deep = JSON.parse(`${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`) as object;
const odd = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, deep, { toString: 1, valueOf: 1 }, "//evil.test/x", "/x/..//evil.test", "a\r\nb: c"),
);

/** An object as it should be, with some of its members replaced by something else. */
function poisoned(good: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const members = Object.keys(good);
  const changes = fc.array(fc.tuple(fc.constantFrom(...members), odd), { maxLength: 3 });
  return fc.oneof(
    odd,
    changes.map((entries) => ({ ...good, ...Object.fromEntries(entries) })),
  );
}

const write = poisoned({
  ...{ id: "w1", kind: "update", view: "/a", url: "/a/1", values: { x: 1 }, etag: '"e"', user: "" },
});
const message = poisoned({
  status: 200,
  reason: "",
  fields: [
    ["Items", 'list="/a", url="/a/{id}"'],
    ["Event-ID", "s:1.0"],
  ],
  body: '{"a":[{"id":1}]}',
});

function fetchNoting(urls: string[]): typeof fetch {
  return (async (url: string) => {
    urls.push(String(url));
    return Response.json({ rocket: { levels: [1], promises: ["idempotency-key"] } });
  }) as typeof fetch;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

it("Whatever stands in the storage, the process goes on, nothing goes elsewhere, and a new write is sent", async () => {
  const lists = fc.sample(fc.oneof(odd, fc.array(write, { maxLength: 4 })), runs);
  for (const kept of [...lists, [null], [[]], "no JSON {", 5]) {
    const urls: string[] = [];
    const storage = { getItem: () => (kept === 5 ? (5 as never) : textOf(kept)), setItem: () => {} };
    const client = createClient(origin, { storage, WebSocket, fetch: fetchNoting(urls), onError: () => {} });
    await client.collection("/new").create({ x: 1 });
    client.close();
    expect(urls.filter((url) => new URL(url).href !== url || !url.startsWith(`${origin}/`))).toEqual([]);
    expect(urls.at(-1)).toBe(`${origin}/new`);
  }
  await turn();
  expect(unhandled).toEqual([]);
}, 60_000);

function textOf(value: unknown): string {
  try {
    return typeof value === "string" ? value : JSON.stringify(value);
  } catch {
    return `[{"id":"w","kind":"update","view":"/a","url":"/a/1","values":${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}}]`;
  }
}

it("Whatever was dehydrated, a client begins, shows what is right and goes on", async () => {
  const states = fc.sample(fc.dictionary(fc.oneof(fc.string(), fc.constant("/a")), message, { maxKeys: 3 }), runs);
  for (const initial of states) {
    const good = { "/good": { status: 200, reason: "", fields: [["Items", 'url="/good/{id}"']], body: '[{"id":1}]' } };
    const client = createClient(origin, {
      initial: { ...initial, ...good } as never,
      WebSocket,
      fetch: fetchNoting([]),
    });
    for (const target of ["/a", "/good"]) client.collection(target).subscribe(() => {});
    const { rows } = client.collection("/good").getSnapshot();
    const kept = Object.keys(await client.dehydrate());
    expect(kept.filter((target) => !/^\/(?!\/)/.test(target))).toEqual([]);
    client.close();
    expect(rows).toEqual([{ id: 1 }]);
  }
  await turn();
  expect(unhandled).toEqual([]);
}, 60_000);

it("Whatever other tabs say, a tab goes on, and shows what they rightly say", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("addEventListener", () => {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const options = { WebSocket, fetch: fetchNoting([]), tabs: "user" };
  const [leader, follower] = [createClient(origin, options), createClient(origin, options)];
  onTestFinished(() => {
    for (const one of [leader, follower]) one.close();
  });
  let id = "";
  const channel = new BroadcastChannel(`rocket user ${origin}/`);
  channel.onmessage = ({ data }: MessageEvent) => {
    if (data.kind === "follow") id = data.from;
  };
  onTestFinished(() => channel.close());
  leader.collection("/leader").subscribe(() => {});
  await turn();
  const list = follower.collection<{ id: number }>("/a");
  list.subscribe(() => {});
  await vi.waitUntil(() => id !== "");
  const batch = poisoned({ kind: "batch", to: id, target: "/a", batch: [] });
  const batches = fc.tuple(batch, fc.array(message, { maxLength: 2 }));
  const state = poisoned({ kind: "state", to: id, target: "/a", state: "live", position: "s:1.0", problem: undefined });
  const follow = poisoned({ kind: "follow", from: "x", target: "/b" });
  const full = batches.map(([one, messages]) => ({ ...(one as object), batch: messages }));
  for (const one of fc.sample(fc.oneof(full, state, follow), runs)) {
    if (one !== null && typeof one === "object" && "state" in one && "problem" in one && one.problem) continue;
    try {
      channel.postMessage(one);
    } catch {
      // No tab can say what is nested that deeply.
    }
  }
  const rightly = {
    status: 200,
    reason: "",
    fields: [["Items", 'list="/a", url="/a/{id}"']],
    body: '{"a":[{"id":7}]}',
  };
  channel.postMessage({ kind: "batch", to: id, target: "/a", batch: [rightly] });
  await vi.waitUntil(() => list.getSnapshot().rows[0]?.id === 7, { timeout: 20_000 });
  expect(unhandled).toEqual([]);
}, 60_000);
