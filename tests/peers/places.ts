import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createSecureServer } from "node:http2";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import express from "express";
import { Agent, fetch as undiciFetch } from "undici";
import { onTestFinished } from "vitest";
import { attach, createServer, type ServerOptions } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";
import { type Clock, systemClock } from "../../src/server/index.ts";
import { rocket } from "../cli/command.ts";
import type { Certificate } from "../node/attach/certificates.ts";
import { Line } from "./line.ts";

/** A row of `/artists`, as each place shows it. */
export interface Artist {
  readonly id: number;
  readonly url: string;
  readonly name: string;
}

/** Which Rocket it is. */
export type PlaceKind = "serve" | "attach" | "proxy";

/** How a place ends, and begins again on the same port. */
export interface Lifetime {
  /** Tells everybody to come back later, and ends. */
  stop(): Promise<void>;
  /** Ends it by SIGKILL and starts it anew. Only where it is a process. */
  restart(): Promise<void>;
}

/** undici's `fetch` for a server with that certificate, by HTTP/2 where `allowH2` says so; it goes with the test. */
function secureFetch({ cert: ca }: Certificate, allowH2: boolean): typeof globalThis.fetch {
  const dispatcher = new Agent({ allowH2, connect: { ca } });
  onTestFinished(() => dispatcher.destroy());
  return ((url: string, init: object = {}) => undiciFetch(url, { ...init, dispatcher })) as never;
}

/** What a place speaks. */
interface Speech {
  readonly tls?: Certificate | undefined;
  /** Whether what is asked by the test goes by HTTP/2. Default: where there is TLS. */
  readonly allowH2?: boolean;
}

/** A Rocket with the collection `/artists`, and the line to it. */
export class Place {
  readonly url: string;
  readonly line: Line;
  readonly stop: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly #fetch: typeof globalThis.fetch;

  private constructor(port: number, line: Line, { stop, restart }: Lifetime, { tls, allowH2 = true }: Speech) {
    this.url = `${tls ? "https" : "http"}://127.0.0.1:${port}`;
    this.line = line;
    this.stop = stop;
    this.restart = restart;
    this.#fetch = tls ? secureFetch(tls, allowH2) : fetch;
  }

  static async open(port: number, lifetime: Lifetime, speech: Speech = {}): Promise<Place> {
    return new Place(port, await Line.open(port, speech.tls !== undefined), lifetime, speech);
  }

  /** The URL of a WebSocket, along the line. */
  socketUrl(path: string): string {
    return `${this.url.startsWith("https") ? "wss" : "ws"}://127.0.0.1:${this.line.port}${path}`;
  }

  async list(): Promise<readonly Artist[]> {
    const response = await this.#fetch(`${this.url}/artists`);
    return ((await response.json()) as { readonly artists: readonly Artist[] }).artists;
  }

  /** Adds an artist by HTTP; gives its URL. */
  async add(name: string): Promise<string> {
    const response = await this.#send("POST", "/artists", { name });
    return new URL(response.headers.get("location") ?? "", this.url).pathname;
  }

  async rename(url: string, name: string): Promise<void> {
    await this.#send("PATCH", url, { name });
  }

  async remove(url: string): Promise<void> {
    await this.#send("DELETE", url);
  }

  async #send(method: string, path: string, value?: object): Promise<Response> {
    const body = value === undefined ? {} : { body: JSON.stringify(value) };
    const headers = value === undefined ? {} : { "Content-Type": "application/json" };
    const response = await this.#fetch(this.url + path, { method, headers, ...body });
    if (!response.ok) throw new Error(`${method} ${path} is ${response.status}: ${await response.text()}`);
    await response.arrayBuffer();
    return response;
  }
}

const lasting: Lifetime = {
  stop: async () => {},
  restart: () => Promise.reject(new Error("Only a process can be killed.")),
};

/** A database with three artists. Gives its path. */
function createArtists(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-peers-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "music.db");
  const database = new Database(path);
  database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE artists (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO artists (name) VALUES ('Can'), ('Neu!'), ('Low');`);
  database.close();
  return path;
}

/** A clock that runs so many times as fast as the system's, so that 20 s of silence are soon over. */
export function fastClock(times: number): Clock {
  return {
    ...systemClock,
    now: () => systemClock.now() * times,
    setTimer: (callback, ms) => systemClock.setTimer(callback, ms / times),
  };
}

/** What `rocket serve` is made of, in this process. Gives its port too. */
export async function startServer(options: Partial<ServerOptions> = {}): Promise<Lifetime & { readonly port: number }> {
  const { basePath } = options;
  const scaffold = await createScaffold({ path: createArtists(), ...(basePath !== undefined && { basePath }) });
  const server = createServer({ ...scaffold, drainMs: 0, ...options });
  const { port } = await server.listen(0);
  const stop = async (): Promise<void> => {
    await server.close();
    await scaffold.close();
  };
  onTestFinished(stop);
  return { ...lasting, stop, port };
}

/** `rocket serve`'s parts in this process. */
export async function serve(options: Partial<ServerOptions> = {}): Promise<Place> {
  const { port, ...lifetime } = await startServer(options);
  return Place.open(port, lifetime, { tls: options.tls as Certificate | undefined });
}

/** Writes a certificate and its key beside a database; gives the flags that name them. */
function writeCertificate(path: string, { cert, key }: Certificate): string[] {
  writeFileSync(`${path}.crt`, cert);
  writeFileSync(`${path}.key`, key);
  return ["--tls-cert", `${path}.crt`, "--tls-key", `${path}.key`];
}

/** `rocket serve` itself, as a process that can be killed. */
export async function serveInProcess(tls?: Certificate): Promise<Place> {
  const path = createArtists();
  const flags = tls ? writeCertificate(path, tls) : [];
  const start = async (port: number) => {
    const command = rocket("serve", path, "--port", String(port), ...flags);
    await command.until(({ stdout }) => /https?:\/\/127\.0\.0\.1:\d+\n/.test(stdout));
    return { command, port: Number(/https?:\/\/127\.0\.0\.1:(\d+)\n/.exec(command.stdout)?.[1]) };
  };
  let { command, port } = await start(0);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    command.process.kill(signal);
    await command.result;
  };
  const restart = async (): Promise<void> => {
    await end("SIGKILL");
    ({ command, port } = await start(port));
  };
  return Place.open(port, { stop: () => end("SIGTERM"), restart }, { tls });
}

/** An Express application whose URLs and bodies are those of the database. */
async function startApplication(tls?: Certificate): Promise<Server> {
  const names = new Map([
    [1, "Can"],
    [2, "Neu!"],
    [3, "Low"],
  ]);
  const row = (id: number): Artist => ({ id, url: `/artists/${id}`, name: names.get(id) ?? "" });
  const app = express();
  app.use(express.json({ limit: "1mb" }));
  app.get("/artists", (_request, response) => void response.json({ artists: [...names.keys()].map(row) }));
  app.post("/artists", (request, response) => {
    const id = Math.max(...names.keys()) + 1;
    names.set(id, request.body.name);
    response
      .status(201)
      .location(`/artists/${id}`)
      .json({ artist: row(id) });
  });
  app.all("/artists/:id", (request, response) => {
    const id = Number(request.params.id);
    if (!names.has(id)) return void response.sendStatus(404);
    if (request.method === "DELETE") names.delete(id);
    if (request.method === "DELETE") return void response.sendStatus(204);
    if (request.method === "PATCH") names.set(id, request.body.name);
    response.json({ artist: row(id) });
  });
  const server = tls ? createSecureServer({ ...tls, allowHTTP1: true }, app as never) : createHttpServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function attached(tls?: Certificate): Promise<Place> {
  const server = await startApplication(tls);
  const attachment = attach(server, { coalesceMs: 5 });
  onTestFinished(() => attachment.close());
  // Express does not speak HTTP/2, which is what streams are that are no WebSockets.
  return Place.open(portOf(server), lasting, { tls, allowH2: false });
}

async function proxied(tls?: Certificate): Promise<Place> {
  const upstream = `http://127.0.0.1:${portOf(await startApplication())}`;
  const server = createProxy({ upstream, drainMs: 0, ...(tls && { tls }) });
  const { port } = await server.listen(0);
  onTestFinished(() => server.close());
  return Place.open(port, lasting, { tls });
}

/** Starts a place, with TLS where a certificate is given; it goes with the test. */
export const startPlace: Readonly<Record<PlaceKind, (tls?: Certificate) => Promise<Place>>> = {
  serve: (tls) => serve({ ...(tls && { tls }) }),
  attach: attached,
  proxy: proxied,
};
