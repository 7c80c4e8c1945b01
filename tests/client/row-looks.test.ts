import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createClient, type WebSocketConstructor } from "../../src/client/index.ts";
import { createFakeClock } from "../../src/testing/index.ts";

beforeAll(() => Promise.all([import("../../src/client/outbox.ts"), import("../../src/client/fallback.ts")]));

interface Post {
  readonly id: number;
  readonly title: string;
}

/** A socket to a server that has none. */
class NoSocket {
  onclose = (_event: { code: number }): void => {};

  constructor() {
    queueMicrotask(() => this.onclose({ code: 1006 }));
  }

  close(): void {}
}

/** A client of an API that is no Rocket server, and what it asks for. */
function clientOf(documents: Record<string, unknown>) {
  const clock = createFakeClock();
  const asked: string[] = [];
  const send = async (url: string, { method = "GET", body }: RequestInit = {}): Promise<Response> => {
    const { pathname, search } = new URL(url);
    asked.push(`${method} ${pathname}${search}`);
    const document = documents[pathname + search];
    if (method !== "GET") return Response.json({ ...Object(document), ...JSON.parse(String(body)) });
    if (typeof document === "number") return new Response(null, { status: document });
    return document === undefined ? new Response(null, { status: 404 }) : Response.json(document);
  };
  const WebSocket = NoSocket as unknown as WebSocketConstructor;
  const client = createClient("http://h", { clock, fetch: send as typeof fetch, WebSocket, onError: () => {} });
  onTestFinished(() => client.close());
  return { client, clock, asked, documents };
}

const one = { id: 1, title: "one" };

describe("Rows of an API that does not say where they are [R-FLD-14]", () => {
  it.each<[string, unknown]>([
    ["the record", { ...one, text: "more" }],
    ["the record in an envelope", { post: one }],
  ])("have URLs once one was found there: %s", async (_what, record) => {
    const { client, clock, asked } = clientOf({ "/posts": [one, { id: 2, title: "two" }], "/posts/1": record });
    const posts = client.collection<Post>("/posts");
    const keys: string[][] = [];
    const seen: (readonly Post[])[] = [];
    posts.subscribe(() => {
      const { rows } = posts.getSnapshot();
      if (rows.length > 0) keys.push(rows.map(posts.keyOf));
      if (rows.length > 0) seen.push(rows);
    });
    await clock.advance(4_000);
    const { rows } = posts.getSnapshot();
    expect(rows.map(posts.urlOf)).toEqual(["/posts/1", "/posts/2"]);
    expect(new Set(keys.map(String))).toEqual(new Set(["/posts/1,/posts/2"]));
    expect(seen.every((before) => before[0] === rows[0])).toBe(true);
    await posts.update(rows[1] as Post, { title: "new" });
    expect(asked.filter((what) => /posts\/./.test(what))).toEqual(["GET /posts/1", "PATCH /posts/2"]);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["another one", { id: 1, title: "the page of that number" }],
    ["a list", [one]],
  ])("have none to write to where a look finds %s, and `update` says what the server lacks", async (_what, record) => {
    const { client, clock, asked, documents } = clientOf({
      "/pages/1/posts": { data: [one] },
      "/pages/1/posts/1": record,
    });
    const posts = client.collection<Post>("/pages/1/posts");
    posts.subscribe(() => {});
    await clock.advance(4_000);
    const [row] = posts.getSnapshot().rows;
    expect([row, posts.keyOf(row as Post)]).toEqual([one, "/pages/1/posts/1"]);
    await expect(posts.update(row as Post, { title: "new" })).rejects.toThrow(/no URL to write to.*records/);
    const looks = (): number => asked.filter((what) => what === "GET /pages/1/posts/1").length;
    await clock.advance(50_000);
    expect(looks()).toBe(1);
    // What is there later is found later.
    documents["/pages/1/posts/1"] = one;
    await clock.advance(20_000);
    expect([looks(), posts.urlOf(posts.getSnapshot().rows[0] as Post)]).toEqual([2, "/pages/1/posts/1"]);
    expect(asked.filter((what) => !what.startsWith("GET"))).toEqual([]);
  });

  it("are looked for once for all lists of one path, and again at the next document where the server can't tell", async () => {
    const { client, clock, asked, documents } = clientOf({ "/posts": [one], "/posts?x=1": [one], "/posts/1": 503 });
    const lists = ["/posts", "/posts?x=1"].map((path) => client.collection<Post>(path));
    for (const list of lists) list.subscribe(() => {});
    await clock.advance(4_000);
    const isWritable = (): boolean[] =>
      lists.map((list) => {
        try {
          return list.urlOf(list.getSnapshot().rows[0] as Post) === "/posts/1";
        } catch {
          return false;
        }
      });
    expect(isWritable()).toEqual([false, false]);
    documents["/posts/1"] = one;
    await clock.advance(7_000);
    expect(isWritable()).toEqual([true, true]);
    const before = asked.length;
    await clock.advance(60_000);
    expect(asked.slice(before).includes("GET /posts/1")).toBe(false);
  });

  it("that have links of their own are not looked for, also where the links are absolute", async () => {
    const { client, clock, asked } = clientOf({ "/posts": [{ ...one, url: "http://h/p?one" }] });
    const posts = client.collection<Post>("/posts");
    posts.subscribe(() => {});
    await clock.advance(4_000);
    expect(posts.getSnapshot().rows.map(posts.urlOf)).toEqual(["/p?one"]);
    expect(asked.some((what) => what.includes("/p?"))).toBe(false);
  });
});
