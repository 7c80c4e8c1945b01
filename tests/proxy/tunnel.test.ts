import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { Follower } from "./follower.ts";
import { deferred, listen, proxy, type TestProxy, Wire } from "./setting.ts";

const json = { "Content-Type": "application/json" };

/** A proxy before an upstream with WebSockets at `/socket` and JSON everywhere else. */
async function withSockets(onUpgrade?: (request: IncomingMessage, socket: Socket) => void): Promise<TestProxy> {
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  const server = createServer((incoming, response) => {
    if (incoming.url === "/socket") response.writeHead(426).end();
    else response.writeHead(200, json).end("[]");
  });
  server.on("upgrade", (request, socket: Socket, head) => {
    onUpgrade?.(request, socket);
    if (request.url !== "/socket") {
      socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope");
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on("message", (data, isBinary) => webSocket.send(data, { binary: isBinary }));
    });
  });
  const { url } = await listen(server);
  return proxy(url);
}

const handshake = (target: string, ...more: readonly string[]): string[] => [
  `GET ${target} HTTP/1.1`,
  "Host: localhost",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  ...more,
  "",
  "",
];

describe("the proxy's tunnels", () => {
  it.each([["graphql-transport-ws"], ["vite-hmr"], []])(
    "pass a WebSocket through both ways: %s",
    async (...offered) => {
      const { url } = await withSockets();
      const follower = await new Follower(`${url}/socket`, offered).opened();
      follower.socket.send("a");
      follower.socket.send("b".repeat(100_000));
      expect(await follower.first(2)).toEqual(["a", "b".repeat(100_000)]);
      expect(follower.socket.protocol).toBe(offered[0] ?? "");
      follower.socket.close(4321);
      expect(await follower.closed).toBe(4321);
    },
  );

  it("pass the upstream's refusal on where a subprotocol is offered", async () => {
    const { port } = await withSockets();
    const wire = new Wire(port).send(...handshake("/nowhere", "Sec-WebSocket-Protocol: graphql-ws"));
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 404 Not Found\r\n[\s\S]*nope$/);
  });

  it("pass bytes on that come with the handshake, and other protocols", async () => {
    const { url: origin } = await listen(
      createServer().on("upgrade", (request, socket, head) => {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade}\r\nConnection: Upgrade\r\n\r\n`,
        );
        socket.write(head);
        socket.pipe(socket);
      }),
    );
    const { port } = await proxy(origin);
    const wire = new Wire(port).send(
      "GET / HTTP/1.1",
      "Host: localhost",
      "Connection: Upgrade",
      "Upgrade: tcp",
      "",
      "early",
    );
    expect(await wire.until("early")).toBe(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nearly",
    );
    wire.send(" late");
    expect(await wire.until(" late")).toMatch(/early late$/);
  });

  it("end with either side", async () => {
    const sockets: Socket[] = [];
    const { url } = await withSockets((_, socket) => void sockets.push(socket));
    const one = await new Follower(`${url}/socket`, ["x"]).opened();
    const gone = deferred();
    sockets[0]?.on("close", () => gone.resolve());
    one.socket.terminate();
    await gone.promise;
    const other = await new Follower(`${url}/socket`, ["x"]).opened();
    sockets[1]?.destroy();
    expect(await other.closed).toBe(1006);
  });

  it("take h2c for plain HTTP, so that no request is hidden", async () => {
    const seen: IncomingMessage[] = [];
    const { port } = await withSockets((request) => void seen.push(request));
    const wire = new Wire(port).send(
      "GET / HTTP/1.1",
      "Host: localhost",
      "Connection: Upgrade, HTTP2-Settings, close",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABkAAQAAP__",
      "",
      "",
    );
    expect(await wire.ended()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\[\]/);
    expect(seen).toEqual([]);
  });

  it("are refused to pages of other origins [R-SEC-1]", async () => {
    const seen: IncomingMessage[] = [];
    const { url } = await withSockets((request) => void seen.push(request));
    const follower = new Follower(`${url}/socket`, ["x"], { Origin: "https://evil.example.com" });
    expect(await follower.closed).toBe(403);
    expect(seen).toEqual([]);
  });

  it("answer with 502 where the upstream is down", async () => {
    const { url: origin, server } = await listen(createServer());
    server.close();
    const { url } = await proxy(origin);
    expect(await new Follower(`${url}/socket`, ["x"]).closed).toBe(502);
    expect(await new Follower(`${url}/socket`).closed).toBe(502);
  });
});

describe("a WebSocket without a subprotocol", () => {
  it("is Level 0 where the upstream takes none there, and can be read [R-L0-1]", async () => {
    const { url } = await withSockets();
    const follower = await new Follower(`${url}/notes`).opened();
    expect(follower.socket.protocol).toBe("");
    expect(follower.messages).toEqual([]);
  });

  it("gets the status of the GET where it can't be read [R-L0-4]", async () => {
    const server = createServer((_, response) => response.writeHead(401).end());
    const { url: origin } = await listen(server);
    const { url } = await proxy(origin);
    expect(await new Follower(`${url}/notes`).closed).toBe(401);
  });
});
