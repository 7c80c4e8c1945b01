import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createRequire } from "node:module";
import type { AddressInfo, Server } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import compression from "compression";
import express from "express";
import session from "express-session";
import helmet from "helmet";
import { describe, expect, it } from "vitest";
import type { AttachOptions } from "../../../src/node/index.ts";
import { fieldValue, type HttpResponse } from "../../../src/protocol/index.ts";
import { Http2Client } from "../http2-client.ts";
import { OpenStream } from "../stream.ts";
import { server as certificate } from "./certificates.ts";
import { Notes } from "./notes.ts";
import { exchange, requestText } from "./raw.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

const events = "text/event-stream";
const list = JSON.stringify({ notes: [{ id: 1 }] });
/** Express 4 is what json-server stands on. */
const express4 = createRequire(createRequire(import.meta.url).resolve("json-server"))("express") as typeof express;

async function listening(server: Server, options: AttachOptions = {}): Promise<Site> {
  endAfterTest(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return attachTo(server, new Notes(), options);
}

function start(app: RequestListener, options: AttachOptions = {}): Promise<Site> {
  return listening(createServer(app), options);
}

function bodyOf({ body }: HttpResponse): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

/** Opens an event stream, and gives the body of its first message. */
async function firstBody(site: Site, headers: Record<string, string> = {}): Promise<string> {
  const stream = await OpenStream.open(`${site.url}/notes`, events, headers);
  return bodyOf(await stream.message(0));
}

describe.each([
  ["Express 5", express],
  ["Express 4", express4],
])("%s with much middleware", (_name, framework) => {
  it("has streams with its CORS, Vary and cookie fields, and none of its others [R-STR-23]", async () => {
    const app = framework();
    app.use(helmet());
    app.use(compression({ threshold: 0 }));
    app.use(session({ secret: "s", resave: false, saveUninitialized: true, rolling: true }));
    app.use((request, response, next) => {
      response.set("Access-Control-Allow-Origin", request.get("origin") ?? "*");
      response.vary("Origin");
      next();
    });
    app.get("/notes", (_request, response) => void response.set("Cache-Control", "max-age=60").json(JSON.parse(list)));
    const site = await start(app);
    const headers = { Origin: "https://app.example.com", "Accept-Encoding": "gzip" };
    const stream = await OpenStream.open(`${site.url}/notes`, events, headers);
    expect(bodyOf(await stream.message(0))).toBe(list);
    const names = [...stream.response.headers.keys()];
    expect(names).toEqual([
      "access-control-allow-origin",
      "cache-control",
      "connection",
      "content-type",
      "date",
      "set-cookie",
      "transfer-encoding",
      "vary",
      "x-accel-buffering",
    ]);
    const { headers: got } = stream.response;
    expect(got.get("access-control-allow-origin")).toBe("https://app.example.com");
    expect(got.get("vary")).toBe("Accept, Origin, Accept-Encoding");
    expect(got.get("set-cookie")).toMatch(/^connect\.sid=/);
    expect(site.errors).toEqual([]);
  });

  it("has no stream for pages of other origins, but where it says itself who may read [R-STR-19] [R-STR-23]", async () => {
    const app = express();
    app.get("/open", (_request, response) => void response.set("Access-Control-Allow-Origin", "*").json([]));
    app.get("/closed", (_request, response) => void response.set("Set-Cookie", "a=1").json([]));
    const site = await start(app);
    const ask = async (path: string, fields: Record<string, string>) => {
      const abort = new AbortController();
      const headers = { Accept: events, ...fields };
      const response = await fetch(`${site.url}${path}`, { headers, signal: abort.signal });
      const { status } = response;
      abort.abort();
      return [status, response.headers.get("set-cookie"), response.headers.get("vary")];
    };
    const foreign = [{ Origin: "https://evil.example" }, { Origin: "null" }, { "Sec-Fetch-Site": "cross-site" }];
    for (const fields of foreign) {
      expect(await ask("/closed", fields)).toEqual([403, "a=1", "Accept"]);
      expect((await ask("/open", fields))[0]).toBe(200);
    }
    expect((await ask("/closed", { Origin: site.url }))[0]).toBe(200);
    expect((await ask("/closed", {}))[0]).toBe(200);
  });

  it("answers an If-None-Match by a 304 as a message [R-STR-14]", async () => {
    const app = framework();
    app.get("/notes", (_request, response) => void response.json(JSON.parse(list)));
    const site = await start(app);
    const etag = (await fetch(`${site.url}/notes`)).headers.get("etag") ?? "";
    const stream = await OpenStream.open(`${site.url}/notes`, events, { "If-None-Match": etag });
    expect([stream.response.status, (await stream.message(0)).status]).toEqual([200, 304]);
  });
});

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;
const json = { "Content-Type": "application/json" };

/** Ways in which handlers write an answer. */
const ways: readonly (readonly [name: string, handler: Handler])[] = [
  ["end alone", (_request, response) => response.setHeader("Content-Type", "application/json").end(list)],
  ["end with a callback", (_request, response) => response.writeHead(200, json).end(list, () => {})],
  [
    "a length and fields in turn",
    (_request, response) => {
      const fields = ["Content-Type", "application/json", "Content-Length", String(list.length)];
      response.writeHead(200, "Fine", fields as never).end(list);
    },
  ],
  [
    "writes that begin at once and end later",
    async (_request, response) => {
      response.setHeaders(new Map([["content-type", "application/json"]]));
      response.flushHeaders();
      response.write(list.slice(0, 5));
      await new Promise<void>((resolve) => response.write(list.slice(5), () => resolve()));
      await once(setImmediateEvent(), "x");
      response.end();
      response.end();
    },
  ],
  [
    "a pipeline",
    async (_request, response) => {
      response.writeHead(200, { ...json, "Transfer-Encoding": "chunked" });
      await pipeline(Readable.from([list]), response);
    },
  ],
  [
    "a handler that looks whether the head was sent",
    async (_request, response) => {
      if (!response.headersSent) response.writeHead(200, json);
      if (!response.headersSent || response.writableEnded) throw new Error("The head was not sent.");
      response.end(list);
      if (!response.writableEnded) throw new Error("The answer did not end.");
    },
  ],
  [
    "early hints, and a destroy behind the answer",
    (_request, response) => {
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.writeHead(200, json).write(list);
      response.destroy();
    },
  ],
];

function setImmediateEvent(): EventTarget {
  const target = new EventTarget();
  setImmediate(() => target.dispatchEvent(new Event("x")));
  return target;
}

describe("A handler", () => {
  it.each(ways)("that answers by %s has a stream [R-STR-23]", async (_name, handler) => {
    let isDestroying = false;
    const site = await start(async (request, response) => {
      const isOwn = request.headers.accept === events;
      // Rocket's own requests are answered as others are, but for what cuts them off.
      if (isOwn || !isDestroying) await handler(request, response);
      else response.writeHead(200, json).end(list);
    });
    isDestroying = _name.includes("destroy");
    expect(await firstBody(site)).toBe(list);
    expect(site.errors).toEqual([]);
  });

  it("that answers 406 to whoever takes no JSON has a stream; a 204, a 404 and a 500 are its own [R-STR-23]", async () => {
    const statuses: Record<string, number> = { "/204": 204, "/404": 404, "/500": 500 };
    const site = await start(({ url = "", headers }, response) => {
      const status = statuses[url] ?? (headers.accept?.includes("json") ? 200 : 406);
      response.writeHead(status, json).end(status === 204 ? undefined : list);
    });
    const stream = await OpenStream.open(`${site.url}/notes`, `${events}, application/json;q=0.9`);
    expect(bodyOf(await stream.message(0))).toBe(list);
    const alone = await OpenStream.open(`${site.url}/notes`, events);
    expect(bodyOf(await alone.message(0))).toBe(list);
    for (const [path, status] of Object.entries(statuses)) {
      const response = await fetch(site.url + path, { headers: { Accept: events } });
      expect([response.status, await response.text()]).toEqual([status, status === 204 ? "" : list]);
    }
  });

  it("that streams by itself is handed on as it writes, byte by byte [R-STR-23]", async () => {
    let go = (): void => {};
    const site = await start(async (_request, response) => {
      response.writeHead(200, { "Content-Type": "Text/Event-Stream; charset=utf-8", "X-Own": "1" });
      response.write("data: 1\n");
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      response.end("\n");
    });
    const text = exchange(
      (site.server.address() as AddressInfo).port,
      requestText("GET /own", [`Accept: ${events}`]),
      /data: 1\n/,
    );
    expect(await text).toContain("X-Own: 1\r\n");
    go();
  });

  it("of a path that is not among those that can be followed is not looked at", async () => {
    const site = await start((_request, response) => void response.writeHead(200, json).end(list), { paths: ["/api"] });
    const response = await fetch(`${site.url}/notes`, { headers: { Accept: events } });
    expect(await response.text()).toBe(list);
    const subscribe = await fetch(`${site.url}/notes`, { method: "SUBSCRIBE", headers: { Accept: events } });
    expect(await subscribe.text()).toBe(list);
  });

  it("has a HEAD answered by the head alone, and routers may change the URL [R-STR-14]", async () => {
    const asked: string[] = [];
    const site = await start((request, response) => {
      asked.push(request.url ?? "");
      request.url = "/elsewhere";
      response.writeHead(200, json).end(request.method === "HEAD" ? undefined : list);
    });
    const head = await fetch(`${site.url}/notes`, { method: "HEAD", headers: { Accept: events } });
    expect([head.status, head.headers.get("content-type")]).toEqual([200, events]);
    expect(site.attachment.counts.connections).toBe(0);
    expect(await firstBody(site)).toBe(list);
    expect(new Set(asked)).toEqual(new Set(["/notes", "/notes/1"]));
  });

  it("is not asked for a stream in band: that answer is plain [R-BAND-15]", async () => {
    const site = await start((_request, response) => void response.writeHead(200, json).end(list));
    const follower = site.follow("/.well-known/rocket");
    await follower.opened;
    const { status, body } = await follower.request("GET", "/notes", [["Accept", events]]);
    expect([status, String(body)]).toEqual([200, list]);
  });

  it("whose document can't be followed is refused as a follower's would be [R-STR-14]", async () => {
    const site = await start(
      (_request, response) => void response.writeHead(200, json).end(JSON.stringify("x".repeat(2_000))),
      { limits: { maxDocumentBytes: 1_024 } },
    );
    const response = await fetch(`${site.url}/notes`, { headers: { Accept: events } });
    expect([response.status, response.headers.get("content-type")]).toEqual([413, "application/problem+json"]);
  });

  it("is asked by HTTP/2, too: its streams, its refusals, and Rocket's stream [R-STR-23] [R-H2-1]", async () => {
    let notes = [{ id: 1 }];
    const server = createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
      if (request.url === "/own") response.writeHead(200, { "content-type": events }).write("data: own\n\n");
      else if (request.url === "/404") response.writeHead(404).end("none");
      else response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ notes }));
    });
    const site = await listening(server);
    const client = await Http2Client.open((server.address() as AddressInfo).port);
    const open = (path: string) => {
      const stream = client.request({ ":path": path, accept: events }).setEncoding("utf8");
      let text = "";
      stream.on("data", (part: string) => {
        text += part;
      });
      return async (pattern: RegExp) => {
        while (!pattern.test(text)) await once(stream, "data");
        return text;
      };
    };
    expect(await open("/own")(/own/)).toBe("data: own\n\n");
    expect(await client.ask({ ":path": "/404", accept: events })).toMatchObject({ status: 404, body: "none" });
    const until = open("/notes");
    await until(/event: 304/);
    notes = [{ id: 1 }, { id: 2 }];
    site.attachment.changed("/notes");
    expect(await until(/event: 20[01]\n(?:.*\n)*.*"id":2/)).toContain(list);
    expect(site.errors).toEqual([]);
  });
});

describe("A GET that is ready to wait", () => {
  it("is a 304 with the application's fields where nothing came in time, and its own refusal otherwise [R-STR-21]", async () => {
    const app = express();
    app.get("/notes", (request, response) => {
      if (request.get("authorization") === "no") response.sendStatus(401);
      else response.set("Access-Control-Allow-Origin", "*").set("Cache-Control", "private").json(JSON.parse(list));
    });
    const site = await start(app);
    const etag = (await fetch(`${site.url}/notes`)).headers.get("etag") ?? "";
    const position = fieldValue(
      (await (await OpenStream.open(`${site.url}/notes`, events)).message(0)).fields,
      "event-id",
    );
    const refused = { Prefer: "wait=20", "If-None-Match": etag, Authorization: "no" };
    expect((await fetch(`${site.url}/notes`, { headers: refused })).status).toBe(401);
    const polls = [{ "If-None-Match": etag }, { "Last-Event-ID": position ?? "" }].map((validator) => {
      return fetch(`${site.url}/notes`, { headers: { Prefer: "wait=20", ...validator } });
    });
    while (site.attachment.counts.connections < 3) await once(setImmediateEvent(), "x");
    // What waits is told at once where the server stops, as it is where its time is over.
    site.server.close();
    for (const { status, headers } of await Promise.all(polls)) {
      expect([status, headers.get("access-control-allow-origin"), headers.get("etag")]).toEqual([304, "*", etag]);
      expect([headers.get("event-id"), headers.get("preference-applied")]).toEqual([position, "wait=20"]);
      expect(headers.get("cache-control")).toBe("private");
    }
  });

  it("is the application's answer where that changed and nothing told of it [R-STR-21] [R-STR-23]", async () => {
    let notes = [{ id: 1 }];
    const app = express();
    app.get("/notes", (_request, response) => void response.json({ notes }));
    const site = await start(app);
    const etag = (await fetch(`${site.url}/notes`)).headers.get("etag") ?? "";
    const position = fieldValue(
      (await (await OpenStream.open(`${site.url}/notes`, events)).message(0)).fields,
      "event-id",
    );
    const polls = [{ "If-None-Match": etag }, { "Last-Event-ID": position ?? "" }].map((validator) => {
      return fetch(`${site.url}/notes`, { headers: { Prefer: "wait=20", ...validator } });
    });
    while (site.attachment.counts.connections < 3) await once(setImmediateEvent(), "x");
    notes = [{ id: 1 }, { id: 2 }];
    site.server.close();
    for (const response of await Promise.all(polls)) {
      expect([response.status, response.headers.get("event-id")]).toEqual([200, null]);
      expect(response.headers.get("etag")).not.toBe(etag);
      expect(await response.json()).toEqual({ notes });
    }
  });
});
