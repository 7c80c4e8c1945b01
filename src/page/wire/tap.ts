import type { WebSocketConstructor } from "../../client/index.ts";
import { decodeResponse } from "../../protocol/index.ts";
import { entryOfMessage, entryOfSent, type NewEntry } from "./entry.ts";

/** Bodies of answers over HTTP are shown up to this many characters. */
const maxShown = 65_536;

/** A socket that can't be opened: what a page sees while there is no network. */
class DeadSocket extends EventTarget {
  readonly readyState = 3;
  onclose: ((event: { readonly code: number }) => void) | null = null;

  constructor() {
    super();
    setTimeout(() => this.onclose?.({ code: 1006 }), 0);
  }

  /** Nothing is sent. */
  send(): void {}

  /** It is closed. */
  close(): void {}
}

/** Stands between the client and the platform: sees all that goes over the wire, and can take it away. */
export class Tap {
  /** What the client opens its sockets with. */
  readonly WebSocket: WebSocketConstructor;
  readonly #sockets: Set<WebSocket> = new Set();
  readonly #told: (entry: NewEntry) => void;
  #isOffline = false;
  /** When the last answers to the page's own writes came, by their positions. */
  readonly #answers: Map<string, number> = new Map();

  constructor(told: (entry: NewEntry) => void) {
    this.#told = told;
    const open = (url: string, protocols?: string[]): WebSocket => this.#open(url, protocols);
    this.WebSocket = function Watched(url: string, protocols?: string[]) {
      return open(url, protocols);
    } as unknown as WebSocketConstructor;
  }

  /** Whether the page behaves as without a network. */
  get isOffline(): boolean {
    return this.#isOffline;
  }

  set isOffline(isOffline: boolean) {
    this.#isOffline = isOffline;
    this.#told({ kind: "note", start: isOffline ? "offline" : "online", url: "", text: "", effect: noteOf(isOffline) });
    if (isOffline) this.#closeAll();
    else dispatchEvent(new Event("online"));
  }

  /** Breaks the connection, as a lost network would. The client makes another one by itself. */
  cut(): void {
    const effect = "the client connects again, and goes on where it was";
    this.#told({ kind: "note", start: "cut", url: "", text: "", effect });
    this.#closeAll();
  }

  /** Sends a request as the page's client does. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    if (this.#isOffline) throw new TypeError("The page is offline.");
    const request = new Request(input, init);
    const body = typeof init?.body === "string" ? init.body : "";
    const started = performance.now();
    const response = await globalThis.fetch(request);
    // Rows that are counted are no news.
    if (
      request.method !== "HEAD" &&
      !/event-stream|application\/http/.test(response.headers.get("content-type") ?? "")
    ) {
      void this.#tellExchange(request, body, response.clone(), performance.now() - started);
    }
    return response;
  };

  /** When the answer to this page's own write of a position came; `undefined` where it was somebody else's. */
  answeredAt(position: string): number | undefined {
    return this.#answers.get(position);
  }

  #closeAll(): void {
    for (const socket of [...this.#sockets]) {
      // The client hears at once what it would hear after a while.
      socket.onclose?.(new CloseEvent("close", { code: 1006 }));
      socket.close();
    }
  }

  #open(url: string, protocols?: string[]): WebSocket {
    if (this.#isOffline) return new DeadSocket() as unknown as WebSocket;
    const socket = new WebSocket(url, protocols);
    socket.addEventListener("open", () => {
      this.#sockets.add(socket);
      this.#told({ kind: "note", start: "open", url: new URL(url).pathname, text: "", effect: "connected" });
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (!this.#sockets.delete(socket)) return;
      const effect = reason === "" ? "closed" : reason;
      this.#told({ kind: "note", start: `closed ${code}`, url: new URL(url).pathname, text: "", effect });
    });
    socket.addEventListener("message", ({ data }) => this.#received(data));
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      send(data);
      if (typeof data === "string" && data !== "") this.#told(entryOfSent(data));
    };
    return socket;
  }

  #received(data: unknown): void {
    const text = typeof data === "string" ? data : new TextDecoder().decode(data as ArrayBuffer);
    try {
      this.#told(entryOfMessage(decodeResponse(text), text));
    } catch {
      this.#told({ kind: "in", start: "unreadable", url: "", text, effect: "" });
    }
  }

  async #tellExchange(request: Request, body: string, response: Response, ms: number): Promise<void> {
    const { method } = request;
    const { status, statusText, headers } = response;
    const position = headers.get("event-id") ?? undefined;
    const isWrite = method !== "GET" && method !== "HEAD";
    if (isWrite && position !== undefined && response.ok) this.#remember(position);
    const { pathname, search } = new URL(request.url);
    const lines = (fields: Headers): string =>
      [...fields].map(([name, value]) => `${name}: ${name === "authorization" ? "Bearer …" : value}\n`).join("");
    const answered = await response.text().catch(() => "");
    const shown = answered.length > maxShown ? `${answered.slice(0, maxShown)}…` : answered;
    const asked = `${method} ${pathname}${search} HTTP/1.1\n${lines(request.headers)}\n${body === "" ? "" : `${body}\n\n`}`;
    const text = `${asked}HTTP/1.1 ${status} ${statusText}\n${lines(headers)}\n${shown}`;
    const start = `${method} ${status}`;
    this.#told({
      kind: "http",
      start,
      status,
      url: pathname + search,
      position,
      text,
      effect: `answered after ${ms.toFixed(1)} ms`,
    });
  }

  #remember(position: string): void {
    this.#answers.set(position, performance.now());
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > 100 && oldest !== undefined) this.#answers.delete(oldest);
  }
}

function noteOf(isOffline: boolean): string {
  return isOffline ? "what is written waits; what is shown says since when" : "connects again, and catches up";
}
