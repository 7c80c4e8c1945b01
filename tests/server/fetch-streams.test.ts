import { describe, expect, it, vi } from "vitest";
import {
  createHub,
  type FetchHandler,
  type FetchStreamOptions,
  type HubLimits,
  type Origin,
  withStreams,
} from "../../src/server/index.ts";
import { createFakeClock, createMemoryStore } from "../../src/testing/index.ts";

const site = "http://example.com";

/** A site whose application answers by `fetch`, and whose store is what it answers from. */
function setting({
  app,
  limits,
  isOver = () => false,
  ...options
}: FetchStreamOptions & { app?: FetchHandler; limits?: Partial<HubLimits>; isOver?: () => boolean } = {}) {
  const clock = createFakeClock();
  const store = createMemoryStore({ collections: ["a"], segment: "m" });
  const origin: Origin = async (request) => {
    return isOver() ? { status: 401, fields: [], body: "" } : store.origin(request);
  };
  const hub = createHub({ ...store, origin, clock, ...(limits && { limits }), hasStreams: true });
  const asked: Request[] = [];
  const answer: FetchHandler = async (request) => {
    asked.push(request);
    if (app) return app(request);
    const target = new URL(request.url).pathname;
    const { status, fields, body } = await store.origin({ method: "GET", target, fields: [], body: "" });
    return new Response(String(body), { status, headers: [...fields] as [string, string][] });
  };
  const handle = withStreams(hub, answer, { clock, ...options });
  const ask = async (path: string, headers: Record<string, string>, method = "GET"): Promise<Response> => {
    const answered = handle(new Request(site + path, { method, headers }));
    await clock.settle();
    return answered;
  };
  const put = (id: number, text = "") => store.transaction((writer) => writer.put("a", { id, text }));
  return { asked, ask, clock, handle, hub, put, store };
}

/** Takes what is there of a body, piece by piece. */
function reader(response: Response) {
  const taker = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  return async (): Promise<string> => (await taker?.read())?.value ?? "";
}

const events = { Accept: "text/event-stream" };

describe("A stream by fetch", () => {
  it.each([
    ["text/event-stream", "text/event-stream", /^:\n\nretry: [1-5]\d{3}\n\nevent: 200\n/],
    ["application/http", "application/http;msgtype=response", /^HTTP\/1\.1 200 OK\r\n/],
  ])("of %s has its head, and tells what changes [R-STR-14] [R-STR-15] [R-STR-17]", async (accept, type, start) => {
    const { ask, clock, put } = setting();
    put(1);
    const response = await ask("/a", { Accept: accept });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    expect(response.headers.get("cache-control")).toBe("no-store, no-transform");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(response.headers.get("vary")).toMatch(/accept/i);
    const read = reader(response);
    expect(await read()).toMatch(start);
    put(2, "new");
    await clock.settle();
    expect(await read()).toMatch(/201 Created[\s\S]*"new"/);
    await clock.advance(20_000);
    expect(await read()).toContain("304 Not Modified");
  });

  it("asks the application first: its own stream, its refusal and its redirect are the answers, untouched [R-STR-23]", async () => {
    const answers: Record<string, Response> = {
      "/own": new Response("data: own\n\n", { headers: { "Content-Type": "text/event-stream; charset=utf-8" } }),
      "/secret": new Response("no", { status: 401 }),
      "/old": new Response(null, { status: 308, headers: { Location: "/a" } }),
    };
    const { ask, asked, hub } = setting({ app: ({ url }) => answers[new URL(url).pathname] ?? new Response() });
    for (const path of Object.keys(answers)) expect(await ask(path, events)).toBe(answers[path]);
    expect(asked.map(({ headers }) => headers.get("accept"))).toEqual(Array(3).fill("text/event-stream"));
    expect(hub.counts.connections).toBe(0);
  });

  it("takes the place of content and of a 406, with the application's CORS, Vary and cookie fields alone [R-STR-23]", async () => {
    const headers = { "Access-Control-Allow-Origin": "https://a.example", Vary: "Origin", "X-Other": "1" };
    const cancelled = vi.fn();
    for (const status of [200, 406]) {
      const body = new ReadableStream({ cancel: cancelled });
      const { ask } = setting({ app: () => new Response(body, { status, headers }) });
      const response = await ask("/a", events);
      expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
      expect(response.headers.get("access-control-allow-origin")).toBe("https://a.example");
      expect(response.headers.get("vary")).toBe("Accept, Origin");
      expect(response.headers.get("x-other")).toBeNull();
    }
    expect(cancelled).toHaveBeenCalledTimes(2);
  });

  it("is not looked for at the well-known URL, where it may not be, and by who wants content as much [R-STR-1]", async () => {
    const { ask, hub } = setting({ follows: (target) => target !== "/a", app: () => new Response("plain") });
    expect(await (await ask("/a", events)).text()).toBe("plain");
    expect(await (await ask("/.well-known/rocket", events)).text()).toBe("plain");
    expect(await (await ask("/b", { Accept: "text/event-stream, */*" })).text()).toBe("plain");
    expect(hub.counts.connections).toBe(0);
  });

  it("is refused by the real status, and a HEAD has the head alone [R-STR-14]", async () => {
    const { ask, hub } = setting({ app: () => new Response("here") });
    const refused = await ask("/a/99", events);
    expect([refused.status, refused.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    const head = await ask("/a", events, "HEAD");
    expect([head.status, head.headers.get("content-type"), head.body]).toEqual([200, "text/event-stream", null]);
    expect(hub.counts.connections).toBe(0);
  });

  it("is a 503 beyond the number of connections, and counted no more once its body is cancelled [R-SEC-5]", async () => {
    const { ask, clock, hub } = setting({ limits: { maxConnections: 1 } });
    const first = await ask("/a", events);
    const second = await ask("/a", events);
    expect([second.status, second.headers.get("retry-after")]).toEqual([503, "5"]);
    await first.body?.cancel();
    await clock.settle();
    expect(hub.counts).toMatchObject({ connections: 0, subscriptions: 0 });
    expect((await ask("/a", events)).status).toBe(200);
  });

  it("that is not read is parked, holds no more than its bound, and goes on where it is read [R-SUB-12]", async () => {
    const { ask, clock, hub, put } = setting({ limits: { maxUnsentBytes: 64 * 1024 } });
    const response = await ask("/a", events);
    for (let id = 1; id <= 100; id += 1) {
      put(id, "t".repeat(20_000));
      await clock.settle();
    }
    expect(hub.held.used).toBeLessThan(2 * 64 * 1024);
    const read = reader(response);
    let text = "";
    while (!text.includes('"id":100,')) {
      text += await read();
      await clock.settle();
    }
    expect(text.match(/^event: 201$/gm)?.length).toBe(100);
  });

  it("that is never read is cut off [R-SEC-5]", async () => {
    const { ask, clock, hub, put } = setting({ limits: { maxUnsentBytes: 64 * 1024, stallTimeoutMs: 5_000 } });
    const response = await ask("/a", events);
    put(1, "t".repeat(100_000));
    await clock.advance(10_000);
    expect(hub.counts.connections).toBe(0);
    await expect(response.text()).rejects.toThrow("cut off");
  });

  it("ends behind the 204 of its record, with what is not read yet still there, but not for ever [R-STR-17]", async () => {
    const site = setting({ limits: { stallTimeoutMs: 5_000 } });
    site.put(1);
    const [read, unread] = [await site.ask("/a/1", events), await site.ask("/a/1", events)];
    site.store.transaction((writer) => writer.remove("a", 1));
    await site.clock.settle();
    expect(site.hub.counts.connections).toBe(0);
    expect(await read.text()).toMatch(/event: 204\n[\s\S]*\n\n$/);
    await site.clock.advance(5_000);
    await expect(unread.text()).rejects.toThrow("cut off");
  });
});

describe("The token of who follows by fetch", () => {
  it("ends streams with it, a patch stream without a word, and who comes back gets a 401 [R-SEC-11]", async () => {
    let isOver = false;
    const site = setting({ isOver: () => isOver });
    const claims = btoa(JSON.stringify({ exp: Math.floor(site.clock.wallTime() / 1_000) + 5 })).replace(/=+$/, "");
    const shown = { ...events, Authorization: `Bearer e30.${claims}.c2ln` };
    const [stream, patches] = [await site.ask("/a", shown), await site.ask("/a", shown, "SUBSCRIBE")];
    isOver = true;
    await site.clock.advance(6_000);
    expect((await stream.text()).match(/^event: \d+$/gm)).toEqual(["event: 200", "event: 304", "event: 401"]);
    expect(await patches.text()).toMatch(/^:\n\nretry: \d+\n\n$/);
    expect(site.hub.counts.connections).toBe(0);
    for (const method of ["GET", "SUBSCRIBE"]) expect((await site.ask("/a", shown, method)).status).toBe(401);
  });
});

describe("A patch stream by fetch", () => {
  it("tells batches from now on, and the application is not asked [R-STR-11] [R-STR-20]", async () => {
    const { ask, asked, clock, put, store } = setting();
    put(1);
    const response = await ask("/a", events, "SUBSCRIBE");
    const read = reader(response);
    expect(await read()).toMatch(/^:\n\nretry: \d+\n\n$/);
    store.transaction((writer) => {
      writer.put("a", { id: 2 });
      writer.remove("a", 1);
    });
    await clock.settle();
    expect(await read()).toBe(
      `event: patch\nid: ${store.journal.head.eventId}\n` +
        'data: [{"op":"add","path":"/a/2","value":{"id":2}},{"op":"remove","path":"/a/1"}]\n\n',
    );
    expect(asked).toEqual([]);
  });

  it("is refused behind a position that is lost, and to pages of another origin that is not listed [R-STR-19] [R-STR-20]", async () => {
    const { ask } = setting({ allowOrigins: ["https://app.example"] });
    const statusOf = async (headers: Record<string, string>) => {
      return (await ask("/a", { ...events, ...headers }, "SUBSCRIBE")).status;
    };
    expect(await statusOf({ "Last-Event-ID": "x:1.1" })).toBe(410);
    expect(await statusOf({ Origin: "https://evil.example" })).toBe(403);
    expect(await statusOf({ Origin: "https://app.example" })).toBe(200);
    expect(await statusOf({ Origin: site })).toBe(200);
  });

  it("is not what another SUBSCRIBE gets: that is the application's [R-STR-23]", async () => {
    const { ask } = setting({ app: () => new Response("mine", { status: 202 }) });
    expect((await ask("/a", { Accept: "application/json" }, "SUBSCRIBE")).status).toBe(202);
  });
});

describe("A GET by fetch that is ready to wait", () => {
  it("is answered at the next change, or by a 304 with its position [R-STR-21]", async () => {
    const { clock, handle, hub, put, store } = setting();
    put(1);
    const poll = (seconds: number) => {
      const headers = { Prefer: `wait=${seconds}`, "Last-Event-ID": store.journal.head.eventId };
      return handle(new Request(`${site}/a`, { headers }));
    };
    const polls = [poll(5), poll(600)];
    await clock.settle();
    expect(hub.counts.connections).toBe(2);
    await clock.advance(5_000);
    const unchanged = await polls[0];
    expect([unchanged?.status, unchanged?.headers.get("event-id")]).toEqual([304, store.journal.head.eventId]);
    expect(unchanged?.headers.get("preference-applied")).toBe("wait=5");
    put(2, "new");
    await clock.settle();
    const changed = await polls[1];
    expect([changed?.status, changed?.headers.get("preference-applied")]).toEqual([200, "wait=60"]);
    expect(await changed?.text()).toContain("new");
    expect(hub.counts.connections).toBe(0);
  });

  it("counts no more once its request was aborted [R-STR-21]", async () => {
    const { asked, clock, handle, hub, store } = setting();
    const abort = new AbortController();
    const headers = { Prefer: "wait=60", "Last-Event-ID": store.journal.head.eventId };
    void handle(new Request(`${site}/a`, { headers, signal: abort.signal }));
    await clock.settle();
    expect(hub.counts.connections).toBe(1);
    abort.abort();
    await clock.settle();
    expect([hub.counts.connections, asked.length]).toEqual([0, 0]);
  });
});

describe("withStreams", () => {
  it("wants a function", () => {
    const { hub } = setting();
    expect(() => withStreams(hub, undefined as never)).toThrow(/^answer must be a function/);
  });
});
