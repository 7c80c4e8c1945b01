import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach } from "vitest";
import { WebSocket } from "ws";
import { createServer, type RocketServer, type ServerOptions } from "../../src/node/index.ts";
import { decodeResponse, fieldValue, type HttpResponse } from "../../src/protocol/index.ts";
import type { Origin } from "../../src/server/index.ts";
import { createMemoryStore, type MemoryStore } from "../../src/testing/index.ts";

export interface Site {
  readonly rocket: RocketServer;
  readonly store: MemoryStore;
  readonly port: number;
  /** `http://127.0.0.1:…` */
  readonly url: string;
  readonly errors: string[];
  readonly log: string[];
  put(id: number, columns?: Record<string, string | number>): void;
}

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server on a free port over a store with the collection `a`, closed after the test. */
export async function startSite(
  options: Partial<ServerOptions> = {},
  around: (origin: Origin) => Origin = (origin) => origin,
  host = "127.0.0.1",
): Promise<Site> {
  const store = createMemoryStore({ collections: ["a", "b"], segment: "m" });
  const errors: string[] = [];
  const log: string[] = [];
  const rocket = createServer({
    origin: around(store.origin),
    journal: store.journal,
    drainMs: 0,
    onError: (error, { stage }) => errors.push(`${stage}: ${String(error)}`),
    log: (line) => log.push(line),
    ...options,
  });
  const { port } = await rocket.listen(0, host);
  closers.push(() => rocket.close());
  return {
    rocket,
    store,
    port,
    url: `http://127.0.0.1:${port}`,
    errors,
    log,
    put: (id, columns = {}) => void store.transaction((writer) => writer.put("a", { id, ...columns })),
  };
}

export interface Client {
  readonly socket: WebSocket;
  readonly messages: HttpResponse[];
  /** The text of each frame. */
  readonly texts: string[];
  /** The subprotocol that was echoed. */
  readonly protocol: string;
  /** Resolves with the first message that fits, whether it has come or will. */
  until(fits: (message: HttpResponse) => boolean): Promise<HttpResponse>;
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
}

export interface DialOptions {
  readonly protocols?: string[];
  readonly headers?: Record<string, string>;
  readonly origin?: string;
}

/** Opens a WebSocket; at Level 1 unless told otherwise. Rejects with the status where the handshake is refused. */
export async function dial(site: Site, path: string, options: DialOptions = {}): Promise<Client> {
  const { protocols = ["rocket.v1"], headers = {}, origin } = options;
  const socket = new WebSocket(`ws://127.0.0.1:${site.port}${path}`, protocols, {
    headers,
    perMessageDeflate: false,
    ...(origin === undefined ? {} : { origin }),
  });
  closers.push(() => socket.terminate());
  const messages: HttpResponse[] = [];
  const texts: string[] = [];
  const waiting = new Set<() => void>();
  socket.on("message", (data: Buffer) => {
    texts.push(data.toString());
    messages.push(decodeResponse(data.toString()));
    for (const look of waiting) look();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", (code) => resolve(code)));
  await new Promise<void>((resolve, reject) => {
    socket.on("open", () => resolve());
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      reject(new Error(`refused with ${response.statusCode}`));
    });
  });
  return {
    socket,
    messages,
    texts,
    protocol: socket.protocol,
    closed,
    until: (fits) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = messages.find(fits);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
  };
}

/** A message about that record. */
export function about(url: string): (message: HttpResponse) => boolean {
  return ({ fields }) => fieldValue(fields, "content-location") === url;
}

export function answers(id: string): (message: HttpResponse) => boolean {
  return ({ fields }) => fieldValue(fields, "request-id") === id;
}

/** A TCP connection; what it gets is kept as latin1. */
export interface Raw {
  readonly socket: Socket;
  readonly text: () => string;
  /** Resolves once what was got fits. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with everything once the server has ended or dropped the connection. */
  readonly ended: Promise<string>;
}

export async function dialRaw(site: Site, sent?: string | Buffer): Promise<Raw> {
  const socket = connect(site.port, "127.0.0.1");
  closers.push(() => socket.destroy());
  socket.on("error", () => {});
  let text = "";
  const ended = new Promise<string>((resolve) => {
    socket.on("end", () => resolve(text));
    socket.on("close", () => resolve(text));
  });
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  await once(socket, "connect");
  if (sent !== undefined) socket.write(sent);
  return {
    socket,
    text: () => text,
    ended,
    until: (pattern) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (pattern.test(text)) resolve(text);
        };
        socket.on("data", look);
        look();
      }),
  };
}

/** A WebSocket handshake as it stands on the wire. */
export function handshake(site: Site, path: string, fields: readonly string[] = []): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${site.port}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...fields,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A client's frame, masked with zeros. */
export function frame(opcode: number, payload: Uint8Array | string, isFinal = true, isMasked = true): Buffer {
  const bytes = Buffer.from(payload);
  const mask = isMasked ? 0x80 : 0;
  const head =
    bytes.length < 126
      ? Buffer.from([(isFinal ? 0x80 : 0) | opcode, mask | bytes.length])
      : Buffer.from([(isFinal ? 0x80 : 0) | opcode, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (bytes.length >= 126) head.writeBigUInt64BE(BigInt(bytes.length), 2);
  return Buffer.concat([head, Buffer.alloc(isMasked ? 4 : 0), bytes]);
}

/** Whether the server still answers over HTTP, and gives a new subscriber a new change. */
export async function isWell(site: Site): Promise<boolean> {
  const response = await fetch(`${site.url}/a`);
  await response.text();
  const client = await dial(site, "/a");
  await client.until(({ status }) => status === 304);
  site.put(999_999, { at: Math.random() });
  await client.until(about("/a/999999"));
  client.socket.close();
  await client.closed;
  return response.status === 200;
}
