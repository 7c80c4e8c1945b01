import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { type Client, createClient, type WebSocketConstructor } from "../../src/client/index.ts";
import { Locks } from "./locks.ts";

const origin = "http://example.test";
const pieces = [
  ...["/", "/", "/", "//", "\\", "/.", "/..", "/%2e", ".%2E", "%2e%2e", "%252e", "%5c", "%2f", ".", "..", "..."],
  ...["a", "x", "host", "evil.test", "@", ":", "?", "&", "=", "#", ";", "'", "\t", "\n", "\r", " ", "é", "\u0000"],
  ...["http:", "https://evil.test", origin, "ws://evil.test", "javascript:", "\ud800", "{", "|", "%zz", "%", "~", "[]"],
];
const path = fc.array(fc.constantFrom(...pieces), { maxLength: 7 }).map((parts) => parts.join(""));

/** What is sent: to fetch, to the constructor of sockets, and in sockets. */
class Sent {
  readonly urls: string[] = [];
  readonly targets: string[] = [];

  readonly fetch = (async (url: string) => {
    this.urls.push(String(url));
    return new Response('{"id":1}', { headers: { "Content-Type": "application/json" } });
  }) as typeof fetch;

  get WebSocket(): WebSocketConstructor {
    const { urls, targets } = this;
    class Socket {
      readyState = 0;
      onopen = (): void => {};
      onmessage = (_event: { data: string }): void => {};

      constructor(url: string) {
        urls.push(url.replace("ws:", "http:"));
        queueMicrotask(() => {
          this.readyState = 1;
          this.onopen();
          this.onmessage({ data: "HTTP/1.1 200 OK\r\n\r\n{}" });
        });
      }

      send(data: string): void {
        const [, target = ""] = data.split(" ");
        targets.push(target);
      }

      close(): void {}
    }
    return Socket as unknown as WebSocketConstructor;
  }
}

/** The text that percent-encoded text stands for. */
function decoded(text: string): string {
  return Buffer.from(
    text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  ).toString("latin1");
}

function bytes(text: string): string {
  return decoded(Buffer.from(text).toString("latin1"));
}

/** What is wrong with a URL that was sent; `undefined` where nothing is. */
function trouble(url: string): string | undefined {
  const { href, host, pathname } = new URL(url);
  const isExact = href === url && host === "example.test" && !pathname.startsWith("//");
  return isExact ? undefined : url;
}

/** Sends in all ways; gives true where it was refused in all. */
async function sendInAllWays(client: Client, given: string): Promise<boolean> {
  const isRefused = (error: unknown): boolean => error instanceof TypeError;
  const list = client.collection("/a");
  const asynchronous = [() => client.fetch(given), () => list.update(given, { x: 1 }), () => list.destroy(given)];
  const results: unknown[] = [];
  for (const send of asynchronous) results.push(await send().then(() => false, isRefused));
  const follow = [
    () => client.record(given).subscribe(() => {})(),
    () => client.collection(given).subscribe(() => {})(),
    () => client.subscribe(given, () => {}).close(),
  ];
  for (const begin of follow) {
    try {
      begin();
      results.push(false);
    } catch (error) {
      results.push(isRefused(error));
    }
  }
  expect(new Set(results).size, `${JSON.stringify(given)}: ${results}`).toBe(1);
  return results[0] === true;
}

it("What is sent for 10,000 paths, in any way, goes to this host, to the path that was given and to no other", async () => {
  const sent = new Sent();
  const open = (): Client => {
    const one = createClient(origin, { fetch: sent.fetch, WebSocket: sent.WebSocket, token: "secret" });
    one.collection("/a").subscribe(() => {});
    return one;
  };
  let client = open();
  onTestFinished(() => client.close());
  const troubles: unknown[] = [];
  let count = 0;
  for (const [at, given] of fc.sample(path, 10_000).entries()) {
    if (at % 100 === 99) {
      client.close();
      client = open();
    }
    sent.urls.length = sent.targets.length = 0;
    if (await sendInAllWays(client, given)) continue;
    count += 1;
    await new Promise<void>((resolve) => setImmediate(resolve));
    const targets = [...sent.targets, ...sent.urls.map((url) => url.slice(origin.length))];
    const own = given.startsWith(`${origin}/`) ? given.slice(origin.length) : given;
    const wanted = bytes(own.startsWith("/") ? own : `/${own}`);
    const same = targets.filter((target) => decoded(target) === wanted);
    const odd = [...sent.urls, ...sent.targets.map((target) => origin + target)].filter((url) => trouble(url));
    // The socket's own URL, and what others follow, may be among them.
    if (odd.length > 0 || same.length < 3) troubles.push([given, odd, targets]);
  }
  expect(troubles.slice(0, 5)).toEqual([]);
  expect(count).toBeGreaterThan(1_000);
}, 120_000);

it.each([
  "/.//host/x",
  "/x/..//host/x",
  "//host/x",
  "\\\\host/x",
  "/\\host/x",
  "http://host/x",
  "/a/%2e%2E/b",
  "/a/.",
  "/a\t/b",
])("%j is refused where it is given, whatever it is given to", async (given) => {
  const sent = new Sent();
  const client = createClient(`${origin}/base`, { fetch: sent.fetch, WebSocket: sent.WebSocket, token: "secret" });
  onTestFinished(() => client.close());
  expect(await sendInAllWays(client, given)).toBe(true);
  expect(sent.urls).toEqual([]);
});

it("A base URL's path holds for all that is sent, the socket and what is asked in it included", async () => {
  const sent = new Sent();
  const client = createClient(`${origin}/base`, { fetch: sent.fetch, WebSocket: sent.WebSocket });
  onTestFinished(() => client.close());
  client.collection("/a").subscribe(() => {});
  await client.fetch("/b");
  await client.fetch("/base/c");
  await client.collection("/a").update("/a/1", {});
  await vi.waitUntil(() => sent.targets.length > 0);
  expect([...new Set(sent.urls)].sort()).toEqual(
    ["/base/.well-known/rocket", "/base/a", "/base/a/1", "/base/b", "/base/c"].map((target) => origin + target),
  );
  expect(sent.targets).toEqual(["/base/a"]);
});

it("A tab asks for nothing that another tab names, unless it is a path of this host", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  vi.stubGlobal("document", new EventTarget());
  vi.stubGlobal("addEventListener", () => {});
  onTestFinished(() => void vi.unstubAllGlobals());
  const sent = new Sent();
  const client = createClient(origin, { fetch: sent.fetch, WebSocket: sent.WebSocket, tabs: "user" });
  onTestFinished(() => client.close());
  client.collection("/a").subscribe(() => {});
  await vi.waitUntil(() => sent.targets.includes("/a"));
  const channel = new BroadcastChannel(`rocket user ${origin}/`);
  onTestFinished(() => channel.close());
  for (const target of fc.sample(path, 2_000)) channel.postMessage({ kind: "follow", from: "x", target });
  channel.postMessage({ kind: "follow", from: "x", target: "/last" });
  await vi.waitUntil(() => sent.targets.includes("/last"), { timeout: 20_000 });
  expect(sent.targets.map((target) => trouble(origin + target)).filter(Boolean)).toEqual([]);
}, 60_000);

it("A row whose key is empty, `.` or `..` is shown, and has no URL to write to [R-FLD-4]", async () => {
  const sent = new Sent();
  const rows = ["..", ".", "", null, "ok"].map((id, at) => ({ id, at }));
  const initial = {
    "/users/5/friends": {
      status: 200,
      reason: "",
      fields: [["Items", 'list="/friends", url="/users/5/friends/{id}"'] as const],
      body: JSON.stringify({ friends: rows }),
    },
  };
  const client = createClient(origin, { fetch: sent.fetch, WebSocket: sent.WebSocket, initial });
  onTestFinished(() => client.close());
  const friends = client.collection("/users/5/friends");
  const shown = friends.getSnapshot().rows;
  expect(shown).toEqual(rows);
  expect(new Set(shown.map(friends.keyOf)).size).toBe(5);
  for (const row of shown.slice(0, 4)) {
    await expect(friends.destroy(row)).rejects.toThrow("The row has no URL");
    await expect(friends.update(row, { at: 7 })).rejects.toThrow("The row has no URL");
  }
  expect(sent.urls).toEqual([]);
  await friends.destroy(shown[4] as never);
  expect(sent.urls).toEqual([expect.stringContaining("well-known"), `${origin}/users/5/friends/ok`]);
});

it("A row that only a fragment names is shown, and `update` says what the server lacks [R-FLD-12]", async () => {
  const sent = new Sent();
  const rows = [{ id: 1 }, { id: 2 }];
  const initial = {
    "/pages/1/posts": {
      status: 200,
      reason: "",
      fields: [["Items", 'url="/pages/1/posts#{id}"'] as const],
      body: JSON.stringify(rows),
    },
  };
  const client = createClient(origin, { fetch: sent.fetch, WebSocket: sent.WebSocket, initial });
  onTestFinished(() => client.close());
  const posts = client.collection("/pages/1/posts");
  const shown = posts.getSnapshot().rows;
  expect(shown.map(posts.keyOf)).toEqual(["/pages/1/posts/1", "/pages/1/posts/2"]);
  for (const row of [...shown, "/pages/1/posts#1"] as never[]) {
    await expect(posts.update(row, { at: 7 })).rejects.toThrow(/no URL to write to.*records/);
    await expect(posts.destroy(row)).rejects.toThrow(/no URL to write to.*records/);
  }
  expect(sent.urls).toEqual([]);
});
