import { createServer as createHttpServer } from "node:http";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { attach, createServer } from "../../src/node/index.ts";
import {
  createProblem,
  decodeResponse,
  fieldValue,
  type HttpResponse,
  problemResponse,
} from "../../src/protocol/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import type { HubLimits } from "../../src/server/index.ts";
import { createMemoryStore } from "../../src/testing/index.ts";
import { listen } from "../proxy/setting.ts";

/** Who asked for what, as what is behind a door saw it. */
export interface Seen {
  readonly target: string;
  readonly cookie: string | undefined;
  readonly authorization: string | undefined;
}

/** A server whose resources are for those who show `sid=anna` or a bearer token, and what is behind it. */
export class GuardedDoor {
  readonly port: number;
  readonly seen: Seen[];
  readonly told: string[];

  constructor(port: number, seen: Seen[], told: string[]) {
    this.port = port;
    this.seen = seen;
    this.told = told;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  order(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return fetch(`${this.url}/.well-known/rocket/tickets`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Cookie: "sid=anna", ...headers },
      body: text,
    });
  }

  /** A ticket for a URL. */
  async ticket(url: string, headers: Record<string, string> = {}): Promise<string> {
    const response = await this.order({ url }, headers);
    return ((await response.json()) as { ticket: string }).ticket;
  }

  /** What a GET that asks for a stream is answered with first. */
  async stream(path: string, headers: Record<string, string> = {}, method = "GET"): Promise<number> {
    const abort = new AbortController();
    const accept = { Accept: "text/event-stream" };
    const { status } = await fetch(this.url + path, {
      method,
      headers: { ...accept, ...headers },
      signal: abort.signal,
    });
    abort.abort();
    return status;
  }

  /** The statuses of the first answers in band to messages that are sent one by one, after the well-known URL's own. */
  async inBand(messages: readonly string[], headers: Record<string, string> = {}): Promise<number[]> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}/.well-known/rocket`, ["rocket.v1"], { headers });
    onTestFinished(() => socket.terminate());
    const statuses: number[] = [];
    return new Promise((resolve, reject) => {
      socket.on("error", reject);
      socket.on("message", (data: Buffer) => {
        statuses.push(decodeResponse(data.toString()).status);
        const next = messages[statuses.length - 1];
        if (next === undefined) resolve(statuses.slice(1));
        else socket.send(next);
      });
    });
  }

  /** The first message of a WebSocket, or the status by which its handshake is refused. */
  socket(
    path: string,
    headers: Record<string, string> = {},
    protocols = ["rocket.v1"],
  ): Promise<HttpResponse | number> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, protocols, { headers });
    onTestFinished(() => socket.terminate());
    return new Promise((resolve, reject) => {
      socket.on("message", (data: Buffer) => resolve(decodeResponse(data.toString())));
      socket.on("unexpected-response", (request, { statusCode }) => {
        request.destroy();
        resolve(statusCode ?? 0);
      });
      socket.on("error", reject);
    });
  }
}

interface Options {
  readonly basePath?: string;
  readonly allowOrigins?: readonly string[];
  readonly limits?: Partial<HubLimits>;
  readonly trustForwarded?: boolean;
}

function statusFor({ target, cookie, authorization }: Seen): number {
  if (target.startsWith("/forbidden")) return 403;
  if (target.startsWith("/moved")) return 302;
  return cookie?.includes("sid=anna") || authorization ? 200 : 401;
}

function app(seen: Seen[]): ReturnType<typeof createHttpServer> {
  return createHttpServer((request, response) => {
    const { cookie, authorization } = request.headers;
    const one: Seen = { target: request.url ?? "", cookie, authorization };
    seen.push(one);
    const status = statusFor(one);
    const isStream = status === 200 && request.headers.accept === "text/event-stream";
    response.writeHead(status, { "Content-Type": isStream ? "text/event-stream" : "application/json", Location: "/a" });
    response.end(isStream ? "data: 1\n\n" : "[]");
  });
}

async function openServe({ trustForwarded: _, ...options }: Options): Promise<GuardedDoor> {
  const store = createMemoryStore({ collections: ["a"], segment: "m" });
  const seen: Seen[] = [];
  const told: string[] = [];
  const rocket = createServer({
    origin: async (request) => {
      const cookie = fieldValue(request.fields, "cookie");
      const one = { target: request.target, cookie, authorization: fieldValue(request.fields, "authorization") };
      seen.push(one);
      const status = statusFor(one);
      if (status === 200) return store.origin(request);
      return problemResponse(createProblem(status, "No."), [["Location", "/a"]]);
    },
    journal: store.journal,
    drainMs: 0,
    log: (line) => told.push(line),
    onError: (error) => told.push(String(error)),
    ...options,
  });
  const { port } = await rocket.listen(0);
  onTestFinished(() => rocket.close());
  return new GuardedDoor(port, seen, told);
}

async function openAttach({ trustForwarded: _, ...options }: Options): Promise<GuardedDoor> {
  const seen: Seen[] = [];
  const told: string[] = [];
  const { server, port } = await listen(app(seen));
  const attachment = attach(server, { onError: (error) => told.push(String(error)), ...options });
  onTestFinished(() => attachment.close());
  return new GuardedDoor(port, seen, told);
}

async function openProxy(options: Options): Promise<GuardedDoor> {
  const seen: Seen[] = [];
  const told: string[] = [];
  const { url: upstream } = await listen(app(seen));
  const rocket = createProxy({
    ...{ upstream, drainMs: 0, log: (line) => told.push(line), onError: (error) => told.push(String(error)) },
    ...options,
  });
  const { port } = await rocket.listen(0);
  onTestFinished(() => rocket.close());
  return new GuardedDoor(port, seen, told);
}

export const guardedDoors: readonly { readonly name: string; open(options?: Options): Promise<GuardedDoor> }[] = [
  { name: "serve", open: (options = {}) => openServe(options) },
  { name: "attach", open: (options = {}) => openAttach(options) },
  { name: "proxy", open: (options = {}) => openProxy(options) },
];
