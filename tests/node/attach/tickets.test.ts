import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { attach } from "../../../src/node/index.ts";
import { OpenStream } from "../stream.ts";
import { atEnd } from "./cleanup.ts";
import { listenBeside } from "./listen-beside.ts";
import { endAfterTest } from "./site.ts";

interface Seen {
  readonly url: string | undefined;
  readonly cookie: string | undefined;
}

/** An attached server whose list is for Anna, and all that its listeners see. */
async function start(): Promise<{ port: number; server: Server; seen: Seen[]; ticket(url: string): Promise<string> }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push(lookAt(request));
    response.writeHead(request.headers.cookie === "sid=anna" ? 200 : 401, { "Content-Type": "application/json" });
    response.end("[]");
  });
  endAfterTest(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const attachment = attach(server);
  atEnd(() => attachment.close());
  const { port } = server.address() as AddressInfo;
  const ticket = async (url: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/.well-known/rocket/tickets`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Cookie: "sid=anna" },
      body: JSON.stringify({ url }),
    });
    const { ticket: made } = (await response.json()) as { ticket: string };
    seen.length = 0;
    return made;
  };
  return { port, server, seen, ticket };
}

function lookAt({ url, headers }: IncomingMessage): Seen {
  return { url, cookie: headers.cookie };
}

/** Opens a WebSocket; gives the status by which it is refused, or 101. */
function dial(url: string): Promise<number> {
  const socket = new WebSocket(url, ["chat"]);
  atEnd(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.on("open", () => resolve(101));
    socket.on("unexpected-response", (_request, { statusCode = 0 }) => resolve(statusCode));
    socket.on("error", reject);
  });
}

describe("The ticket of a WebSocket that is the application's", () => {
  it("is taken out and used up, stands for its credentials, and is refused where it is no good [R-SEC-13]", async () => {
    const { port, server, seen, ticket } = await start();
    const chat = new WebSocketServer({ server });
    atEnd(() => chat.close());
    chat.on("connection", (_socket, request) => seen.push(lookAt(request)));
    const path = `/a?room=1&rocket-ticket=${await ticket("/a?room=1")}`;
    expect(await dial(`ws://127.0.0.1:${port}${path}`)).toBe(101);
    expect(seen).toEqual([{ url: "/a?room=1", cookie: "sid=anna" }]);
    expect(await dial(`ws://127.0.0.1:${port}${path}`)).toBe(401);
    expect(await dial(`ws://127.0.0.1:${port}/a?rocket-ticket=none`)).toBe(401);
    expect(seen).toHaveLength(1);
    expect(await dial(`ws://127.0.0.1:${port}/chat?x=1`)).toBe(101);
    expect(seen.at(-1)).toEqual({ url: "/chat?x=1", cookie: undefined });
  });
});

describe("The ticket of a request to a second server on the same port", () => {
  it("is taken as at the first: that application sees none, in a stream or in a plain GET [R-SEC-12] [R-SEC-13]", async () => {
    const { port, server, seen } = await start();
    const second = createServer((request, response) => server.listeners("request")[0]?.call(server, request, response));
    endAfterTest(second);
    const url = `http://${await listenBeside(second, port)}:${port}`;
    const post = { "Content-Type": "application/json", Cookie: "sid=anna" };
    const order = { method: "POST", headers: post, body: '{"url":"/a"}' };
    const answer = await fetch(`${url}/.well-known/rocket/tickets`, order);
    const { ticket } = (await answer.json()) as { ticket: string };
    seen.length = 0;
    const path = `${url}/a?rocket-ticket=${ticket}`;
    const stream = await OpenStream.open(path, "text/event-stream");
    expect((await stream.message(0)).status).toBe(200);
    expect(seen.map(({ url: target, cookie }) => [target, cookie])).toEqual(
      Array(seen.length).fill(["/a", "sid=anna"]),
    );
    const before = seen.length;
    expect((await fetch(path)).status).toBe(401);
    expect((await fetch(`${url}/a?rocket-ticket=${"x".repeat(43)}`, { method: "DELETE" })).status).toBe(401);
    expect(seen).toHaveLength(before);
    expect((await fetch(`${url}/.well-known/rocket`)).status).toBe(200);
  });
});
