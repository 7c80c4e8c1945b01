import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createSecureServer, type Http2SecureServer, type Http2ServerRequest } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { getRequestListener } from "@hono/node-server";
import fastify from "fastify";
import { Hono } from "hono";
import Koa from "koa";
import { Server as SocketIo } from "socket.io";
import { describe, expect, it } from "vitest";
import type { WebSocket } from "ws";
import { decodeResponse } from "../../../src/protocol/index.ts";
import { answerOf, Http2Client } from "../http2-client.ts";
import { server as certificate } from "./certificates.ts";
import { atEnd } from "./cleanup.ts";
import { Notes } from "./notes.ts";
import { attachTo, type Site } from "./site.ts";

const tls = { ...certificate, allowHTTP1: true } as const;
const levelOne = { "sec-websocket-protocol": "rocket.v1" };

/** What Node warned of in this file: of some it warns once in a process. */
const warnings: string[] = [];
process.on("warning", ({ message }) => warnings.push(message));

type Handler = (request: never, response: never) => unknown;

async function listening(server: Http2SecureServer): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  atEnd(() => server.close());
  return server;
}

const listener = (handler: Handler): Promise<Server> => listening(createSecureServer(tls, handler as never));

/** The application of two routes, by each framework that speaks HTTP/2. */
const frameworks: readonly { readonly name: string; start(notes: Notes): Promise<Server> }[] = [
  {
    name: "Koa",
    start(notes) {
      const app = new Koa();
      app.use((context) => {
        if (context.path !== "/notes") return;
        if (context.method === "POST") context.status = 201;
        context.body = context.method === "POST" ? notes.add("new") : notes.list;
      });
      return listener(app.callback() as Handler);
    },
  },
  {
    name: "Fastify",
    async start(notes) {
      const app = fastify({ http2: true, https: tls });
      app.get("/notes", async () => notes.list);
      app.post("/notes", async (_request, reply) => reply.code(201).send(notes.add("new")));
      await app.listen({ port: 0, host: "127.0.0.1" });
      atEnd(() => app.close());
      return app.server as unknown as Server;
    },
  },
  {
    name: "Hono",
    start(notes) {
      const app = new Hono();
      app.get("/notes", (context) => context.json(notes.list));
      app.post("/notes", (context) => context.json(notes.add("new"), 201));
      return listener(getRequestListener(app.fetch) as Handler);
    },
  },
  {
    name: "node:http2",
    start: (notes) =>
      listener((({ method, url }: IncomingMessage, response: ServerResponse) => {
        if (url !== "/notes") response.statusCode = 404;
        else if (method === "POST") response.statusCode = 201;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(method === "POST" ? notes.add("new") : notes.list));
      }) as Handler),
  },
];

/** A session that is gone before its server is closed, which waits for it. */
async function openClient(server: Server): Promise<Http2Client> {
  const client = await Http2Client.open((server.address() as AddressInfo).port);
  atEnd(() => client.session.destroy());
  return client;
}

async function start(framework: (typeof frameworks)[number]): Promise<{ site: Site; client: Http2Client }> {
  const notes = new Notes();
  const server = await framework.start(notes);
  const site = attachTo(server, notes);
  return { site, client: await openClient(server) };
}

function statusesOf(socket: WebSocket): number[] {
  const statuses: number[] = [];
  socket.on("message", (data) => statuses.push(decodeResponse(String(data)).status));
  return statuses;
}

describe.each(frameworks)("an application of $name over HTTP/2", (framework) => {
  it("is followed on a stream, and what is written on another is seen [R-H2-1]", async () => {
    const { site, client } = await start(framework);
    expect(client.session.remoteSettings?.enableConnectProtocol).toBe(true);
    const statuses = statusesOf(await client.webSocket("/notes", levelOne));
    await expect.poll(() => statuses).toEqual([200, 304]);
    expect((await client.ask({ ":path": "/notes", ":method": "POST" })).status).toBe(201);
    await expect.poll(() => statuses).toContain(201);
    const wellKnown = await client.ask({ ":path": "/.well-known/rocket" });
    expect([wellKnown.status, JSON.parse(wellKnown.body).rocket.version]).toEqual([200, "1.0"]);
    expect(warnings.filter((text) => text.includes("HTTP/2"))).toEqual([]);
    expect(site.errors).toEqual([]);
  });

  it("refuses on streams as over HTTP/1.1 [R-H2-2] [R-SEC-1] [R-SEC-2] [R-L0-4]", async () => {
    const { client } = await start(framework);
    const statusOf = async (path: string, headers = {}) => (await answerOf(client.connect(path, headers))).status;
    expect(await statusOf("/notes", { ...levelOne, origin: "https://evil.example" })).toBe(403);
    expect(await statusOf("/notes", { ...levelOne, ":authority": "evil.example" })).toBe(421);
    expect(await statusOf("/nothing")).toBe(404);
    // Nobody takes it, so it is a plain GET; but a 2xx would open the stream.
    expect(await statusOf("/notes", { "sec-websocket-protocol": "other" })).toBe(501);
  });
});

describe("attach to a server of HTTP/2", () => {
  it("leaves other WebSockets on streams to those who take them over HTTP/1.1", async () => {
    const notes = new Notes();
    const server = createSecureServer(tls);
    const io = new SocketIo(server as never, { transports: ["websocket"] });
    await listening(server);
    atEnd(() => io.close());
    attachTo(server, notes);
    const client = await openClient(server);
    const socket = await client.webSocket("/socket.io/?EIO=4&transport=websocket");
    const [first] = await once(socket, "message");
    expect(String(first)).toMatch(/^0\{"sid":/);
  });

  it("gives out tickets, and takes them out of the path before the application sees it [R-SEC-12] [R-SEC-13]", async () => {
    const seen: unknown[] = [];
    const server = createSecureServer(tls, ({ url, headers, rawHeaders }: Http2ServerRequest, response) => {
      seen.push([url, headers.cookie, headers[":path"], rawHeaders.filter((text) => text.includes("rocket-ticket"))]);
      const type = headers.accept === "text/event-stream" ? "text/event-stream" : "application/json";
      response.setHeader("Content-Type", type);
      response.end("[]");
    });
    await listening(server);
    attachTo(server, new Notes());
    const client = await openClient(server);
    const asking = { "content-type": "application/json", cookie: "sid=anna", ":method": "POST" };
    const given = async (): Promise<string> => {
      const { body } = await client.ask({ ...asking, ":path": "/.well-known/rocket/tickets" }, '{"url":"/a"}');
      return `/a?rocket-ticket=${JSON.parse(body).ticket}`;
    };
    const path = await given();
    seen.length = 0;
    const stream = { ":path": path, accept: "text/event-stream" };
    expect([(await client.ask(stream)).status, (await client.ask(stream)).status]).toEqual([200, 401]);
    expect(seen).toEqual([["/a", "sid=anna", "/a", []]]);
    const statuses = statusesOf(await client.webSocket(await given(), levelOne));
    await expect.poll(() => statuses).toEqual([200, 304]);
    expect(seen.at(-1)).toEqual(["/a", "sid=anna", undefined, []]);
  });

  it("keeps what an application does with CONNECT itself", async () => {
    const server = createSecureServer(tls, (_request, response) => response.end());
    server.on("connect", (_request, response) => response.writeHead(418).end());
    await listening(server);
    const site = attachTo(server, new Notes());
    const client = await openClient(site.server);
    expect((await answerOf(client.connect("/x", { "sec-websocket-protocol": "other" }))).status).toBe(418);
  });

  it("refuses a Host beside another :authority, whoever would read which [R-SEC-9] [R-H2-3]", async () => {
    const { client } = await start(frameworks[3] as (typeof frameworks)[number]);
    const asked = { ":path": "/notes", ":authority": "localhost", host: "evil.example" };
    await expect(
      client.ask(asked).then(
        ({ status }) => status,
        () => "reset",
      ),
    ).resolves.not.toBe(200);
    expect((await client.ask({ ":path": "/notes" })).status).toBe(200);
  });

  it("offers no WebSockets on streams any more once it is closed", async () => {
    const { site } = await start(frameworks[3] as (typeof frameworks)[number]);
    await site.attachment.close();
    const client = await openClient(site.server);
    expect(client.session.remoteSettings?.enableConnectProtocol).toBe(false);
    expect((await client.ask({ ":path": "/notes" })).status).toBe(200);
  });
});
