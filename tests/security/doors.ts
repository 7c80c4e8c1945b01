import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";
import { attach, createServer } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createMemoryStore } from "../../src/testing/index.ts";
import { listen } from "../proxy/setting.ts";

/** What whoever is behind a door was asked. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** A server of Rocket's, by one of the ways there are, and what is behind it. */
export interface Door {
  readonly port: number;
  readonly asked: Asked[];
  /** Log lines, warnings and errors. */
  readonly told: string[];
}

/** What every door can be told. */
export interface DoorOptions {
  readonly allowHosts?: readonly string[];
  readonly allowOrigins?: readonly string[];
  /** Default `127.0.0.1`. */
  readonly address?: string;
  /** Whether an attached application takes WebSockets of its own. Default false. */
  readonly hasOthers?: boolean;
}

/** A way to make a server, by its name. */
export interface DoorKind {
  readonly name: "serve" | "attach" | "proxy";
  open(options?: DoorOptions): Promise<Door>;
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) found.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return found;
}

/** An API that answers everything with an empty list, and takes WebSockets of the subprotocol `other`. */
function createApi(asked: Asked[]): ReturnType<typeof createHttpServer> {
  const note = ({ method = "", url = "", rawHeaders }: IncomingMessage) => {
    asked.push({ method, target: url, fields: pairs(rawHeaders) });
  };
  const server = createHttpServer((request, response) => {
    note(request);
    response.setHeader("Content-Type", "application/json");
    response.end("[]");
  });
  server.on("upgrade", (request, socket) => {
    note(request);
    const isOther = request.headers["sec-websocket-protocol"] === "other";
    socket.end(
      isOther
        ? "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    );
  });
  return server;
}

async function openServe({ address = "127.0.0.1", hasOthers: _, ...options }: DoorOptions = {}): Promise<Door> {
  const store = createMemoryStore({ collections: ["a"], segment: "m" });
  const asked: Asked[] = [];
  const told: string[] = [];
  const rocket = createServer({
    origin: (request) => {
      asked.push(request);
      return store.origin(request);
    },
    journal: store.journal,
    drainMs: 0,
    log: (line) => told.push(line),
    onError: (error) => told.push(String(error)),
    ...options,
  });
  const { port } = await rocket.listen(0, address);
  onTestFinished(() => rocket.close());
  return { port, asked, told };
}

async function openAttach({ address = "127.0.0.1", hasOthers = false, ...options }: DoorOptions = {}): Promise<Door> {
  const asked: Asked[] = [];
  const told: string[] = [];
  const server = createApi(asked);
  // Without others, whatever is no subscription is a plain request.
  if (!hasOthers) server.removeAllListeners("upgrade");
  const { port } = await listen(server, 0, address);
  const attachment = attach(server, { ...options, onError: (error) => told.push(String(error)) });
  onTestFinished(() => attachment.close());
  return { port, asked, told };
}

async function openProxy({ address = "127.0.0.1", hasOthers: _, ...options }: DoorOptions = {}): Promise<Door> {
  const asked: Asked[] = [];
  const told: string[] = [];
  const { url } = await listen(createApi(asked));
  const proxy = createProxy({ upstream: url, drainMs: 0, log: (line) => told.push(line), ...options });
  const { port } = await proxy.listen(0, address);
  onTestFinished(() => proxy.close());
  return { port, asked, told };
}

export const doors: readonly DoorKind[] = [
  { name: "serve", open: openServe },
  { name: "attach", open: openAttach },
  { name: "proxy", open: openProxy },
];

export const handshake = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];
export const rocket: readonly string[] = [...handshake, "Sec-WebSocket-Protocol: rocket.v1"];
export const other: readonly string[] = [...handshake, "Sec-WebSocket-Protocol: other"];

/** The values of a field in what was asked. */
export function valuesOf({ fields }: Asked, name: string): string[] {
  return fields.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value);
}
