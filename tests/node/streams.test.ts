import { describe, expect, it, onTestFinished } from "vitest";
import { fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/index.ts";
import { dial, startSite } from "./fixture.ts";
import { OpenStream } from "./stream.ts";

const kinds = [
  ["an event stream", "text/event-stream", "text/event-stream"],
  ["an HTTP stream", "application/http", "application/http;msgtype=response"],
] as const;

/** What a message is about, in short. */
function told({ status, fields }: HttpResponse): string {
  return `${status} ${fieldValue(fields, "content-location") ?? ""}`.trim();
}

/** Waits for something while the clock stands still. */
async function during<Value>(clock: FakeClock, awaited: Promise<Value>): Promise<Value> {
  let isOver = false;
  void awaited.finally(() => {
    isOver = true;
  });
  while (!isOver) await clock.settle();
  return awaited;
}

function position({ fields }: HttpResponse): string {
  return fieldValue(fields, "event-id") ?? "";
}

describe.each(kinds)("%s", (_name, accept, type) => {
  it("gives the messages of a WebSocket, in its order, with a head against fronts that hold back [R-STR-14] [R-STR-15]", async () => {
    const site = await startSite();
    site.put(1, { name: "Can" });
    const stream = await OpenStream.open(`${site.url}/a`, `${accept}, application/json;q=0.5`);
    const { status, headers } = stream.response;
    expect([status, headers.get("content-type"), headers.get("content-length")]).toEqual([200, type, null]);
    expect(headers.get("cache-control")).toBe("no-store, no-transform");
    expect(headers.get("x-accel-buffering")).toBe("no");
    expect(headers.get("vary")).toMatch(/\baccept\b/i);
    expect(headers.get("content-encoding")).toBeNull();
    const socket = await dial(site, "/a");
    await stream.message(1);
    site.put(2);
    site.put(1, { name: "Neu!" });
    await stream.message(3);
    await socket.until((message) => told(message) === "202 /a/1");
    expect(stream.messages.map(told)).toEqual(["200", "304", "201 /a/2", "202 /a/1"]);
    // What only one way of writing needs is no part of the message.
    const written = (message: HttpResponse) => ({
      ...message,
      fields: message.fields.filter(([name]) => name !== "Content-Length"),
      body: String(message.body),
    });
    const messages = stream.messages.map((message) =>
      written({
        ...message,
        body: typeof message.body === "string" ? message.body : new TextDecoder().decode(message.body),
      }),
    );
    expect(messages).toEqual(socket.messages.map(written));
    expect(site.errors).toEqual([]);
  });

  it("tells changes by deltas where its Accept names them [R-DELTA-1] [R-DELTA-5]", async () => {
    const asked: (string | undefined)[] = [];
    const site = await startSite({}, (origin) => (request) => {
      asked.push(fieldValue(request.fields, "accept"));
      return origin(request);
    });
    const text = "t".repeat(300);
    site.put(1, { text, n: 1 });
    const asks = await OpenStream.open(`${site.url}/a`, `${accept}, application/merge-patch+json;q=0.5`);
    const other = await OpenStream.open(`${site.url}/a`, accept);
    await Promise.all([asks.message(1), other.message(1)]);
    site.put(1, { text, n: 2 });
    const [delta, whole] = await Promise.all([asks.message(2), other.message(2)]);
    const types = [delta, whole].map(({ fields }) => fieldValue(fields, "content-type"));
    expect(types).toEqual(["application/merge-patch+json", "application/json"]);
    const body = typeof delta.body === "string" ? delta.body : new TextDecoder().decode(delta.body);
    expect(body).toBe('{"record":{"n":2}}');
    expect(asked).toEqual([undefined, undefined]);
  });

  it("goes on after a Last-Event-ID, opens with a 304 for *, and obeys strict handling [R-STR-14]", async () => {
    const site = await startSite();
    site.put(1);
    const before = await OpenStream.open(`${site.url}/a`, accept);
    const last = position(await before.message(1));
    site.put(2);
    await before.message(2);
    const after = await OpenStream.open(`${site.url}/a`, accept, { "Last-Event-ID": last });
    await after.message(2);
    expect(after.messages.map(told)).toEqual(["304", "201 /a/2", "304"]);
    const anew = await OpenStream.open(`${site.url}/a`, accept, { "Last-Event-ID": "*" });
    expect((await anew.message(0)).status).toBe(304);
    const lost = { "Last-Event-ID": "x:1.1", Prefer: "handling=strict" };
    const { response } = await OpenStream.open(`${site.url}/a`, accept, lost);
    expect([response.status, response.headers.get("content-type")]).toEqual([410, "application/problem+json"]);
  });

  it("is refused by the real status, and a HEAD has the head alone [R-STR-14]", async () => {
    const site = await startSite();
    const missing = await fetch(`${site.url}/a/99`, { headers: { Accept: accept } });
    expect([missing.status, missing.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
    const head = await fetch(`${site.url}/a`, { method: "HEAD", headers: { Accept: accept } });
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, type, ""]);
    expect((await fetch(`${site.url}/a/99`, { method: "HEAD", headers: { Accept: accept } })).status).toBe(404);
    expect(site.rocket.hub.counts.connections).toBe(0);
  });

  it("beyond the number of connections is a 503 with Retry-After [R-SEC-5]", async () => {
    const site = await startSite({ limits: { maxConnections: 1 } });
    await (await OpenStream.open(`${site.url}/a`, accept)).message(1);
    const { status, headers } = await fetch(`${site.url}/a`, { headers: { Accept: accept } });
    expect([status, headers.get("retry-after")]).toEqual([503, "5"]);
  });

  it("is a 503 also where many come at once, while each is being authorised [R-SEC-5]", async () => {
    let asked = 0;
    let answerAll = () => {};
    const allAsked = new Promise<void>((resolve) => {
      answerAll = resolve;
    });
    const site = await startSite({ limits: { maxConnections: 2 } }, (origin) => async (request) => {
      asked += 1;
      if (asked === 8) answerAll();
      await allAsked;
      return origin(request);
    });
    const abort = new AbortController();
    onTestFinished(() => abort.abort());
    const ask = () => fetch(`${site.url}/a`, { headers: { Accept: accept }, signal: abort.signal });
    const statuses = (await Promise.all(Array.from({ length: 8 }, ask))).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 200, ...Array<number>(6).fill(503)]);
  });

  it("ends after the 204 of its record, and with a last 304 where the server stops [R-STR-17]", async () => {
    const site = await startSite();
    site.put(1);
    const record = await OpenStream.open(`${site.url}/a/1`, accept);
    const list = await OpenStream.open(`${site.url}/a`, accept);
    await Promise.all([record.message(1), list.message(1)]);
    site.store.transaction((writer) => writer.remove("a", 1));
    await record.end();
    expect(record.messages.map(told)).toEqual(["200", "304", "204 /a/1"]);
    await list.message(2);
    await site.rocket.close();
    await list.end();
    expect(list.messages.map(told)).toEqual(["200", "304", "204 /a/1", "304"]);
    expect(position(list.messages[3] as HttpResponse)).toBe(position(list.messages[2] as HttpResponse));
  });

  it("is counted no more once its client has gone", async () => {
    const site = await startSite();
    const stream = await OpenStream.open(`${site.url}/a`, accept);
    await stream.message(1);
    expect(site.rocket.hub.counts).toMatchObject({ connections: 1, subscriptions: 1 });
    await stream.response.body?.cancel().catch(() => {});
    site.rocket.server.closeAllConnections();
    await stream.end();
    await fetch(`${site.url}/a`).then((response) => response.text());
    expect(site.rocket.hub.counts).toMatchObject({ connections: 0, subscriptions: 0 });
  });

  it("is told that it is alive by a 304 with its position [R-STR-16]", async () => {
    const clock = createFakeClock();
    const site = await startSite({ clock });
    const stream = await during(clock, OpenStream.open(`${site.url}/a`, accept));
    await during(clock, stream.message(1));
    await clock.advance(20_000);
    await during(clock, stream.message(2));
    expect(stream.messages.map(told)).toEqual(["200", "304", "304"]);
    expect(position(stream.messages[2] as HttpResponse)).toBe(position(stream.messages[1] as HttpResponse));
    // The drain is by the same clock.
    const closing = site.rocket.close();
    await clock.advance(0);
    await during(clock, closing);
  });

  it("is not for pages of another origin, and readable by those that are allowed [R-STR-19]", async () => {
    const site = await startSite({ allowOrigins: ["https://app.example.com"] });
    const foreign = await fetch(`${site.url}/a`, { headers: { Accept: accept, Origin: "https://evil.example" } });
    expect(foreign.status).toBe(403);
    const { response } = await OpenStream.open(`${site.url}/a`, accept, { Origin: "https://app.example.com" });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(response.headers.get("vary")).toMatch(/accept.*origin/i);
  });
});

describe("An event stream", () => {
  it("begins with a comment and a wait of its own, and has ids at commit marks only [R-STR-17] [R-STR-3]", async () => {
    const site = await startSite();
    site.put(1);
    const stream = await OpenStream.open(`${site.url}/a`, "text/event-stream");
    await stream.message(1);
    expect(stream.text).toMatch(/^:\n\nretry: [1-5]\d{3}\n\nevent: 200\nid: /);
    expect(stream.events.map(({ type }) => type)).toEqual(["200", "304"]);
    site.store.transaction((writer) => {
      writer.put("a", { id: 2 });
      writer.put("a", { id: 3 });
    });
    await stream.message(3);
    const [, , first, second] = stream.events;
    expect(first?.id).toBe(stream.events[1]?.id);
    expect(second?.id).toBe(position(stream.messages[3] as HttpResponse));
  });
});

describe("The server", () => {
  it("says at the well-known URL that it has streams, and answers plainly whoever wants something else as much [R-STR-18] [R-STR-1]", async () => {
    const site = await startSite();
    const { rocket } = await (await fetch(`${site.url}/.well-known/rocket`)).json();
    expect(rocket.streams).toEqual(["text/event-stream", "application/http"]);
    const plain = await fetch(`${site.url}/a`, { headers: { Accept: "application/json, text/event-stream" } });
    expect(plain.headers.get("content-type")).toBe("application/json");
    await plain.text();
  });

  it("says in answers to GET and HEAD of what can be followed that it can, and that the answer is by Accept [R-STR-22]", async () => {
    const site = await startSite({}, (origin) => async (request) => {
      if (request.target !== "/page") return origin(request);
      return { status: 200, fields: [["Content-Type", "text/html"]], body: "page" };
    });
    for (const method of ["GET", "HEAD"]) {
      const { headers } = await fetch(`${site.url}/a?kind=%3Cb%3E`, { method });
      expect([headers.get("link"), headers.get("vary")]).toEqual([
        '</a?kind=%3Cb%3E>; rel="monitor"',
        expect.stringMatching(/\baccept\b(?!-)/i),
      ]);
      for (const path of ["/a/99", "/page"]) {
        expect((await fetch(site.url + path, { method })).headers.get("link")).toBeNull();
      }
    }
    const derived = await startSite({ derived: {} }, () => async () => ({ status: 200, fields: [], body: "page" }));
    expect((await fetch(`${derived.url}/page`)).headers.get("link")).toBe('</page>; rel="monitor"');
  });
});
