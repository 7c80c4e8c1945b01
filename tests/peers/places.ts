import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import express from "express";
import { onTestFinished } from "vitest";
import { attach, createServer, type ServerOptions } from "../../src/node/index.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";
import { type Clock, systemClock } from "../../src/server/index.ts";
import { rocket } from "../cli/command.ts";
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

/** A Rocket with the collection `/artists`, and the line to it. */
export class Place {
  readonly url: string;
  readonly line: Line;
  readonly stop: () => Promise<void>;
  readonly restart: () => Promise<void>;

  constructor(url: string, line: Line, { stop, restart }: Lifetime) {
    this.url = url;
    this.line = line;
    this.stop = stop;
    this.restart = restart;
  }

  /** The URL of a WebSocket, along the line. */
  socketUrl(path: string): string {
    return `ws://127.0.0.1:${this.line.port}${path}`;
  }

  async list(): Promise<readonly Artist[]> {
    return ((await (await fetch(`${this.url}/artists`)).json()) as { readonly artists: readonly Artist[] }).artists;
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
    const response = await fetch(this.url + path, { method, headers, ...body });
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
  return new Place(`http://127.0.0.1:${port}`, await Line.open(port), lifetime);
}

/** `rocket serve` itself, as a process that can be killed. */
export async function serveInProcess(): Promise<Place> {
  const path = createArtists();
  const start = async (port: number) => {
    const command = rocket("serve", path, "--port", String(port));
    await command.until(({ stdout }) => /http:\/\/127\.0\.0\.1:\d+\n/.test(stdout));
    return { command, port: Number(/http:\/\/127\.0\.0\.1:(\d+)\n/.exec(command.stdout)?.[1]) };
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
  return new Place(`http://127.0.0.1:${port}`, await Line.open(port), { stop: () => end("SIGTERM"), restart });
}

/** An Express application whose URLs and bodies are those of the database. */
async function startApplication(): Promise<Server> {
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
  const server = createHttpServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

async function attached(): Promise<Place> {
  const server = await startApplication();
  const attachment = attach(server, { coalesceMs: 5 });
  onTestFinished(() => attachment.close());
  const port = portOf(server);
  return new Place(`http://127.0.0.1:${port}`, await Line.open(port), lasting);
}

async function proxied(): Promise<Place> {
  const upstream = `http://127.0.0.1:${portOf(await startApplication())}`;
  const server = createProxy({ upstream, drainMs: 0 });
  const { port } = await server.listen(0);
  onTestFinished(() => server.close());
  return new Place(`http://127.0.0.1:${port}`, await Line.open(port), lasting);
}

/** Starts a place; it goes with the test. */
export const startPlace: Readonly<Record<PlaceKind, () => Promise<Place>>> = {
  serve: () => serve(),
  attach: attached,
  proxy: proxied,
};
