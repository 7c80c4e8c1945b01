import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  request as sendRequest,
} from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createSecure } from "node:https";
import { serve } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import compression from "compression";
import express from "express";
import fastify from "fastify";
import helmet from "helmet";
import { Hono } from "hono";
import Koa from "koa";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createClient } from "../../../src/client/index.ts";
import { type Attachment, attach, type Mount, mount } from "../../../src/node/index.ts";
import { server as certificate } from "../attach/certificates.ts";
import { atEnd } from "../attach/cleanup.ts";
import { Follower } from "../attach/follower.ts";
import { frameworks } from "../attach/frameworks.ts";
import { Notes } from "../attach/notes.ts";
import { endAfterTest } from "../attach/site.ts";
import { OpenStream } from "../stream.ts";
import { anns, mountOn, openScaffold, urlOf } from "./mounted.ts";

function follow(server: Server, path: string, headers: Record<string, string> = anns, protocols?: string[]): Follower {
  return new Follower(urlOf(server).replace("http", "ws") + path, { headers, ...(protocols && { protocols }) });
}

async function listening(server: Server): Promise<Server> {
  endAfterTest(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function post(server: Server, path: string, value: object, headers: Record<string, string> = anns): Promise<Response> {
  const body = JSON.stringify(value);
  return fetch(urlOf(server) + path, {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

const orders = ["attached first", "mounted first"] as const;
const combinations = frameworks.flatMap((framework) =>
  orders.map((order) => [framework.name, order, framework] as const),
);

describe.each(combinations)(
  "A scaffold that is mounted beside an application of %s, %s,",
  (_name, order, framework) => {
    async function start(): Promise<{ server: Server; attachment: Attachment; api: Mount; errors: string[] }> {
      const server = (await framework.start(new Notes())) as Server;
      endAfterTest(server);
      const before = order === "attached first" ? attach(server, { coalesceMs: 5 }) : undefined;
      const { api, errors } = await mountOn(server);
      const attachment = before ?? attach(server, { coalesceMs: 5 });
      atEnd(() => attachment.close());
      return { server, attachment, api, errors };
    }

    it("answers below its path, and says it in all its URLs", async () => {
      const { server, errors } = await start();
      const get = (path: string, headers: Record<string, string> = anns) => fetch(urlOf(server) + path, { headers });

      const [made, list, nobody, wellKnown, root, apps] = [
        await post(server, "/db/things", { id: 3, owner: "ann", text: "a3" }),
        await get("/db/things?limit=1"),
        await get("/db/things", {}),
        await get("/db/.well-known/rocket", {}),
        await get("/db"),
        await get("/api/notes"),
      ];

      expect([made.status, made.headers.get("location"), await made.json()]).toEqual([
        201,
        "/db/things/3",
        { thing: { url: "/db/things/3", id: 3, owner: "ann", text: "a3" } },
      ]);
      expect(list.headers.get("link")).toContain('</db/things?limit=1&offset=1>; rel="next"');
      expect([nobody.status, (await wellKnown.json()).rocket.promises]).toEqual([
        401,
        expect.arrayContaining(["journal", "batch"]),
      ]);
      expect(await root.json()).toEqual({ collections: [expect.objectContaining({ url: "/db/things" })] });
      expect(await apps.json()).toEqual([{ id: 1, text: "one" }]);
      expect((await get("/dbx", {})).status).toBe(404);
      expect(errors).toEqual([]);
    });

    it("is live by WebSockets, and so is the application", async () => {
      const { server, attachment, api } = await start();
      const [things, level0, notes] = [
        await follow(server, "/db/things").ready(),
        follow(server, "/db/things", anns, []),
        await follow(server, "/api/notes").ready(),
      ];
      await level0.opened;

      await post(server, "/db/things", { id: 3, owner: "ann", text: "a3" });
      await post(server, "/api/notes", { text: "two" });
      await things.until(({ list }) => list.length === 2);
      await notes.until(({ list }) => list.length === 2);
      const told = await level0.status(201);

      expect(String(told.body)).toContain('"/db/things/3"');
      expect(things.list).toEqual([expect.objectContaining({ text: "a1" }), expect.objectContaining({ text: "a3" })]);
      expect([api.counts.connections, attachment.counts.connections]).toEqual([2, 1]);
      await expect(follow(server, "/db/things", {}, []).opened).rejects.toThrow("refused with 401");
    });

    it("is what a client of its path has; a follower of the application's is sent there", async () => {
      const { server } = await start();
      const client = createClient(`${urlOf(server)}/db`, { token: () => "ann", user: "ann" });
      atEnd(() => client.close());
      const things = client.collection<{ id: number; text: string; url?: string }>("/things");
      const one = await things.ready();

      const made = await things.create({ id: 3, text: "a3", ...{ owner: "ann" } });
      await things.update(made, { text: "A3" });

      expect(one.rows.map(({ text }) => text)).toEqual(["a1"]);
      expect(made.url).toBe("/db/things/3");
      expect(things.getSnapshot().rows.map(({ text }) => text)).toEqual(["a1", "A3"]);
      const notes = await follow(server, "/api/notes").ready();
      const refused = await notes.request("SUBSCRIBE", "/db/things");
      expect([refused.status, String(refused.body)]).toEqual([
        422,
        expect.stringContaining("This URL is followed over a connection below its own base path."),
      ]);
    });
  },
);

const handled: readonly (readonly [string, () => Promise<Server>])[] = [
  [
    "Express",
    async () => {
      const app = express();
      const server = createServer(app);
      const { api } = await mountOn(server, { requests: "handled" });
      app.use(helmet());
      app.use("/db", api.handle);
      app.use(express.json());
      app.get("/other", (_request, response) => void response.json("other"));
      return listening(server);
    },
  ],
  [
    "Fastify",
    async () => {
      const app = fastify({ forceCloseConnections: true });
      const { api } = await mountOn(app.server, { requests: "handled" });
      app.addHook("onRequest", async (_request, reply) => {
        reply.raw.setHeader("X-Frame-Options", "SAMEORIGIN");
      });
      app.register(async (below) => {
        below.removeAllContentTypeParsers();
        below.addContentTypeParser("*", (_request, _payload, parsed) => parsed(null));
        below.all("/db/*", (request, reply) => {
          reply.hijack();
          api.handle(request.raw, reply.raw);
        });
      });
      app.get("/other", async () => "other");
      await app.listen({ port: 0, host: "127.0.0.1" });
      atEnd(() => app.close());
      return app.server;
    },
  ],
  [
    "Koa",
    async () => {
      const app = new Koa();
      app.use((context, next) => {
        context.set("X-Frame-Options", "SAMEORIGIN");
        return next();
      });
      app.use((context, next) => {
        if (!context.path.startsWith("/db/")) return next();
        context.respond = false;
        api.handle(context.req, context.res);
        return undefined;
      });
      app.use((context) => {
        context.body = "other";
      });
      const server = createServer(app.callback());
      const { api } = await mountOn(server, { requests: "handled" });
      return listening(server);
    },
  ],
  [
    "Hono",
    async () => {
      const app = new Hono<{ Bindings: { incoming: IncomingMessage; outgoing: never } }>();
      const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
      const { api } = await mountOn(server, { requests: "handled" });
      app.all("/db/*", (context) => {
        const { incoming, outgoing } = context.env;
        (outgoing as ServerResponse).setHeader("X-Frame-Options", "SAMEORIGIN");
        api.handle(incoming, outgoing);
        return RESPONSE_ALREADY_SENT;
      });
      app.get("/other", (context) => context.text("other"));
      endAfterTest(server);
      if (!server.listening) await once(server, "listening");
      return server;
    },
  ],
  [
    "node:http",
    async () => {
      const server = createServer((request, response) => {
        response.setHeader("X-Frame-Options", "SAMEORIGIN");
        if (request.url?.startsWith("/db/")) api.handle(request, response);
        else response.end("other");
      });
      const { api } = await mountOn(server, { requests: "handled" });
      return listening(server);
    },
  ],
];

describe.each(handled)("A scaffold that an application of %s hands requests to", (_name, start) => {
  it("answers behind its middleware, and is live", async () => {
    const server = await start();
    const things = await follow(server, "/db/things").ready();

    const made = await post(server, "/db/things", { id: 3, owner: "ann", text: "a3" });
    const patched = await fetch(`${urlOf(server)}/db/things/3`, {
      method: "PATCH",
      headers: { ...anns, "Content-Type": "application/merge-patch+json" },
      body: '{"text":"A3"}',
    });
    await things.rows([
      { url: "/db/things/1", id: 1, owner: "ann", text: "a1" },
      { url: "/db/things/3", id: 3, owner: "ann", text: "A3" },
    ]);

    expect([made.status, made.headers.get("location"), made.headers.get("x-frame-options")]).toEqual([
      201,
      "/db/things/3",
      "SAMEORIGIN",
    ]);
    expect(patched.status).toBe(200);
    expect(await (await fetch(`${urlOf(server)}/other`)).text()).toContain("other");
  });
});

describe("A mount", () => {
  it("says so where a body was read before it came", async () => {
    const app = express();
    const server = createServer(app);
    const { api, errors } = await mountOn(server, { requests: "handled" });
    app.use(express.json());
    app.use("/db", api.handle);
    await listening(server);

    const answer = await post(server, "/db/things", { id: 3, owner: "ann" });

    expect([answer.status, answer.headers.get("content-type")]).toEqual([500, "application/problem+json"]);
    expect(errors).toEqual([expect.stringContaining("POST /db/things: its body was read before")]);
  });

  it("leaves other WebSockets and upgrades to the application", async () => {
    const server = createServer((_request, response) => response.end("plain"));
    const others = new WebSocketServer({ server, path: "/chat" });
    atEnd(() => void others.close());
    others.on("connection", (socket) => socket.send("hello"));
    await mountOn(server);
    await listening(server);

    const chat = new WebSocket(`${urlOf(server).replace("http", "ws")}/chat`);
    const [greeting] = (await once(chat, "message")) as [Buffer];
    chat.close();
    await follow(server, "/db/things").ready();

    expect(String(greeting)).toBe("hello");
  });

  it("gives an upgrade that nobody takes to the application as a request", async () => {
    const server = createServer((request, response) => response.end(`plain ${request.headers.upgrade}`));
    await mountOn(server);
    attach(server);
    await listening(server);

    const answer = await new Promise<string>((resolve) => {
      const headers = { Connection: "Upgrade", Upgrade: "h2c" };
      sendRequest(`${urlOf(server)}/x`, { headers }, (response) => {
        let text = "";
        response.on("data", (part) => (text += part)).on("end", () => resolve(text));
      }).end();
    });

    expect(answer).toBe("plain undefined");
  });

  it("ends with its server, and leaves it as it was", async () => {
    const server = createServer((_request, response) => response.end("plain"));
    const { api } = await mountOn(server);
    await listening(server);
    const things = await follow(server, "/db/things").ready();

    await api.close();

    expect(await things.closed).toBe(1001);
    expect(await (await fetch(`${urlOf(server)}/db/things`)).text()).toBe("plain");
    expect([server.listenerCount("upgrade"), Object.keys(server).includes("emit")]).toEqual([0, false]);
    await mountOn(server);
    expect((await fetch(`${urlOf(server)}/db/things`, { headers: anns })).status).toBe(200);
  });

  it("is live over plain HTTP, behind an application's own compression, too", async () => {
    const app = express();
    const server = createServer(app);
    const { api } = await mountOn(server, { requests: "handled" });
    app.use(compression({ threshold: 0 }));
    app.use("/db", api.handle);
    await listening(server);

    const stream = await OpenStream.open(`${urlOf(server)}/db/things`, "text/event-stream", anns);
    const first = await stream.message(0);
    await post(server, "/db/things", { id: 3, owner: "ann", text: "a3" });

    expect(first.status).toBe(200);
    await stream.until(({ text }) => text.includes("/db/things/3"));
  });

  it("takes no more fields than its server", async () => {
    const server = createServer();
    server.maxHeadersCount = 20;
    await mountOn(server);
    await listening(server);
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`X-${at}`, "x"]));

    expect((await fetch(`${urlOf(server)}/db/things`, { headers: { ...many, ...anns } })).status).toBe(431);
  });

  it("is live over TLS, too", async () => {
    const server = createSecure(certificate, (_request, response) => response.end("plain"));
    await mountOn(server);
    await listening(server);
    const url = urlOf(server).replace("http", "wss");

    const things = new Follower(`${url}/db/things`, { headers: anns, tls: { ca: certificate.cert } });

    expect((await things.ready()).list).toEqual([expect.objectContaining({ text: "a1" })]);
  });

  it("refuses what can't be", async () => {
    const scaffold = await openScaffold();
    const server = createServer();
    mount(server, scaffold);

    expect(() => mount(server, scaffold)).toThrow("Something is mounted at /db already.");
    expect(() => mount(createServer(), { ...scaffold, basePath: "" })).toThrow("basePath is missing");
    expect(() => mount(createServer(), scaffold, { requests: "all" as never })).toThrow(
      'requests must be "taken" or "handled", not "all".',
    );
    expect(() => mount(createSecureServer({ allowHTTP1: true }) as never, scaffold)).toThrow("server must be one of");
  });
});
