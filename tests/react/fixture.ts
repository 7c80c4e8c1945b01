import { act } from "react";
import {
  type Client,
  type ClientState,
  createClient,
  type OnError,
  type WebSocketConstructor,
} from "../../src/client/index.ts";
import {
  createProblem,
  decodeRequest,
  encodeResponse,
  fieldValue,
  type HttpRequest,
  type HttpResponse,
  problemResponse,
} from "../../src/protocol/index.ts";
import { createHub, type Hub, type OriginResponse } from "../../src/server/index.ts";
import {
  connectMemoryPeer,
  createFakeClock,
  createMemoryStore,
  type FakeClock,
  type MemoryPeer,
  type MemoryStore,
} from "../../src/testing/index.ts";

export interface Song {
  readonly id: number;
  readonly title: string;
  readonly plays?: number;
}

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

/** A socket as a browser has it, at the other end of a hub in memory. */
class FakeSocket {
  binaryType = "blob";
  readyState = 0;
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly #world: World;
  #peer: MemoryPeer | undefined;

  constructor(world: World, url: string) {
    this.#world = world;
    world.sockets.push(this);
    void this.#open(new URL(url).pathname);
  }

  async #open(target: string): Promise<void> {
    // Nobody listens yet.
    await Promise.resolve();
    if (!this.#world.isUp) {
      this.end(1006);
      return;
    }
    this.#peer = await connectMemoryPeer(this.#world.hub, target, {
      onMessage: (message) => this.#take(message),
    });
    this.readyState = 1;
    this.onopen?.();
    for (const message of this.#peer.messages) this.#take(message);
  }

  #take(message: HttpResponse): void {
    const take = (): void => this.onmessage?.({ data: encodeResponse(message) });
    if (message.status === 304 && this.#world.bookmarkMs > 0) this.#world.clock.setTimer(take, this.#world.bookmarkMs);
    else take();
  }

  send(data: string | Uint8Array): void {
    this.#world.asked.push(decodeRequest(data));
    this.#peer?.send(data);
  }

  close(): void {
    this.readyState = 3;
    this.#peer?.disconnect();
  }

  end(code: number): void {
    if (this.readyState === 3) return;
    this.close();
    this.onclose?.({ code });
  }
}

/** A store of songs behind a hub, in memory, with a clock that stands still. */
export class World {
  readonly clock: FakeClock = createFakeClock();
  readonly store: MemoryStore = createMemoryStore({ collections: ["songs"], segment: "m", clock: this.clock });
  /** What was asked in band. */
  readonly asked: HttpRequest[] = [];
  readonly sockets: FakeSocket[] = [];
  hub: Hub = this.#hub();
  isUp = true;
  /** The status with which writes are refused. */
  refusal: number | undefined;
  /** How much later than its other messages the server's bookmarks come. */
  bookmarkMs = 0;
  /** Whether a GET is answered before there is a socket. */
  hasFastReads = false;
  /** Paths that are refused with a 403. */
  readonly forbidden: Set<string> = new Set();
  #gate: Promise<void> = Promise.resolve();

  client(initial: ClientState = {}): Client {
    const world = this;
    const WebSocket = class extends FakeSocket {
      constructor(url: string) {
        super(world, url);
      }
    } as unknown as WebSocketConstructor;
    const fetch = (url: string, init: RequestInit) => this.#fetch(new URL(url), init);
    const options = { tabs: false, initial, clock: this.clock, WebSocket, fetch: fetch as typeof globalThis.fetch };
    const onError: OnError = (error, { stage }) => stage === "connection" || console.error(error);
    return createClient("http://example.com", { ...options, onError });
  }

  put(...songs: Song[]): void {
    this.store.transaction((writer) => {
      for (const song of songs) writer.put("songs", { ...song });
    });
  }

  /** The in-band requests of a method, as `/songs` or `/songs@m:3.0`, where one resumes. */
  askedBy(method: string): string[] {
    return this.asked
      .filter((request) => request.method === method)
      .map(({ target, fields }) => [target, fieldValue(fields, "last-event-id")].filter(Boolean).join("@"));
  }

  /** Lets everything that follows from what was done happen, rendering included. */
  settle(): Promise<void> {
    return this.pass(0);
  }

  /** Lets time pass, with everything that follows. */
  async pass(ms: number): Promise<void> {
    await act(async () => {
      // The client loads it meanwhile too: by the time that somebody writes it is there.
      await import("../../src/client/outbox.ts");
      await this.clock.advance(ms);
      await this.clock.settle();
    });
  }

  /** Lets writes wait until the function that is returned is called. */
  hold(): () => void {
    let release = (): void => {};
    this.#gate = new Promise((resolve) => {
      release = resolve;
    });
    return () => release();
  }

  /** Ends every connection, as a server that is restarted. */
  async stop(): Promise<void> {
    this.isUp = false;
    await act(async () => {
      for (const socket of this.sockets) socket.end(1012);
    });
  }

  start(): void {
    this.hub = this.#hub();
    this.isUp = true;
  }

  #hub(): Hub {
    return createHub({
      origin: async (request) =>
        this.forbidden.has(request.target)
          ? problemResponse(createProblem(403, "Not for you."))
          : this.store.origin(request),
      journal: this.store.journal,
      clock: this.clock,
      onError: (error) => {
        throw error;
      },
    });
  }

  async #fetch({ pathname }: URL, { method = "GET", body }: RequestInit): Promise<Response> {
    if (!this.isUp) throw new TypeError("fetch failed");
    if (pathname === "/.well-known/rocket") return respond(this.hub.wellKnown());
    // What is asked for beside a socket that is being made comes later than what the socket brings.
    if (method === "GET" && !this.hasFastReads && !this.sockets.some(({ readyState }) => readyState === 1))
      return new Promise(() => {});
    if (method === "GET") return respond(await this.store.origin({ method, target: pathname, fields: [], body: "" }));
    await this.#gate;
    if (this.refusal !== undefined) return respond(problemResponse(createProblem(this.refusal, "No.")));
    return respond(this.#write(method, pathname, JSON.parse(String(body ?? "{}"))));
  }

  #write(method: string, path: string, values: Partial<Song>): OriginResponse {
    const songs = this.store.rows("songs");
    const id = method === "POST" ? 1 + Math.max(0, ...songs.map((song) => song.id)) : Number(path.split("/")[2]);
    const row = { ...songs.find((song) => song.id === id), ...values, id };
    const { eventId } = this.store.transaction((writer) => {
      if (method === "DELETE") writer.remove("songs", id);
      else writer.put("songs", row);
    });
    if (method === "DELETE") return { status: 204, fields: [["Event-ID", eventId]], body: "" };
    return {
      status: method === "POST" ? 201 : 200,
      fields: [
        ["Content-Type", "application/json"],
        ["Content-Location", `/songs/${id}`],
        ["Items", 'record="/record"'],
        ["Event-ID", eventId],
      ],
      body: JSON.stringify({ record: row }),
    };
  }
}

function respond({ status, fields, body }: Pick<OriginResponse, "status" | "fields" | "body">): Response {
  const headers = fields.map(([name, value]): [string, string] => [name, value]);
  return new Response(status === 204 ? null : (body as string), { status, headers });
}
