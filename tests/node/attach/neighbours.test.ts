import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { createClient } from "graphql-ws";
import { useServer } from "graphql-ws/use/ws";
import { Server as SocketServer } from "socket.io";
import { createServer as createVite } from "vite";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { AttachOptions } from "../../../src/node/index.ts";
import { atEnd } from "./cleanup.ts";
import { askByPolling, askByWebSocket } from "./engine-io.ts";
import { expressApp } from "./frameworks/express.ts";
import { Notes } from "./notes.ts";
import { attachTo, endAfterTest, type Site } from "./site.ts";

/** When Rocket is attached: before its neighbour, or after. */
const orders = [{ order: "before" }, { order: "after" }] as const;

interface Place {
  readonly site: Site;
  readonly port: number;
}

/** A server with the sample application, a neighbour on it, and Rocket. */
async function startBeside(
  order: "before" | "after",
  addNeighbour: (server: Server, app: ReturnType<typeof expressApp>) => unknown,
  options: AttachOptions = {},
): Promise<Place> {
  const notes = new Notes();
  const app = expressApp(notes);
  const server = createServer(app);
  endAfterTest(server);
  let site = order === "before" ? attachTo(server, notes, options) : undefined;
  await addNeighbour(server, app);
  site ??= attachTo(server, notes, options);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { site, port: (server.address() as AddressInfo).port };
}

/** Rocket works: a follower gets a write. */
async function isLive(site: Site, protocols: readonly string[] = ["rocket.v1"]): Promise<boolean> {
  const follower = site.follow("/api/notes", { protocols });
  await (protocols.length > 0 ? follower.ready() : follower.opened);
  await site.send("POST", "/api/notes", { text: "new" });
  await follower.status(201);
  return true;
}

describe.each(orders)("attached $order Socket.IO", ({ order }) => {
  it("leaves it both its transports", async () => {
    const { site, port } = await startBeside(order, (server) => {
      const sockets = new SocketServer(server);
      sockets.on("connection", (socket) => socket.on("ask", (text, answer) => answer(`${text}!`)));
      atEnd(() => sockets.close());
    });
    expect(await askByWebSocket(port, "socket")).toBe('430["socket!"]');
    expect(await askByPolling(port, "poll")).toBe('430["poll!"]');
    expect(await isLive(site)).toBe(true);
    expect(site.errors).toEqual([]);
  });
});

// As graphql-ws gets it: an import here would be a second copy, which graphql refuses.
const { GraphQLObjectType, GraphQLSchema, GraphQLString }: typeof import("graphql") = createRequire(import.meta.url)(
  "graphql",
);
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: "Query", fields: { name: { type: GraphQLString, resolve: () => "graphql" } } }),
});

describe.each(orders)("attached $order graphql-ws", ({ order }) => {
  it("leaves it its subprotocol", async () => {
    const { site, port } = await startBeside(order, (server) => {
      const sockets = new WebSocketServer({ server, path: "/graphql" });
      const graphql = useServer({ schema }, sockets);
      atEnd(() => graphql.dispose());
    });
    const client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket });
    atEnd(() => client.dispose());
    const first = await client.iterate({ query: "{ name }" }).next();
    expect(first.value).toEqual({ data: { name: "graphql" } });
    expect(await isLive(site)).toBe(true);
  });
});

function addEcho(server: Server): void {
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`echo ${data}`)));
  atEnd(() => sockets.close());
}

async function echo(port: number, path: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  atEnd(() => socket.terminate());
  await once(socket, "open");
  socket.send("hello");
  const [data] = await once(socket, "message");
  return String(data);
}

describe.each(orders)("attached $order a ws server without a path", ({ order }) => {
  it("leaves it every WebSocket that does not ask for Rocket", async () => {
    const { site, port } = await startBeside(order, addEcho);
    expect(await echo(port, "/api/notes")).toBe("echo hello");
    expect(await isLive(site)).toBe(true);
  });

  it("takes the paths that it is given, even without a subprotocol", async () => {
    const { site, port } = await startBeside(order, addEcho, { paths: ["/api"] });
    expect(await echo(port, "/chat")).toBe("echo hello");
    expect(await isLive(site, [])).toBe(true);
  });
});

describe.each(orders)("attached $order Vite in middleware mode", ({ order }) => {
  it("leaves it its hot reload on the same server", async () => {
    const { site, port } = await startBeside(order, async (server, app) => {
      const vite = await createVite({
        ...{ configFile: false, appType: "custom", logLevel: "silent", root: import.meta.dirname },
        server: { middlewareMode: true, hmr: { server }, watch: null },
        optimizeDeps: { noDiscovery: true },
      });
      app.use(vite.middlewares);
      atEnd(() => vite.close());
      atEnd(() => vite.hot.send({ type: "full-reload" }));
    });
    const client = await (await fetch(`http://127.0.0.1:${port}/@vite/client`)).text();
    const token = /wsToken\s*=\s*"([^"]+)"/.exec(client)?.[1] ?? "";
    const socket = new WebSocket(`ws://127.0.0.1:${port}/?token=${token}`, "vite-hmr");
    atEnd(() => socket.terminate());
    const [data] = await once(socket, "message");
    expect(JSON.parse(String(data))).toEqual({ type: "connected" });
    expect(await isLive(site)).toBe(true);
  });
});
