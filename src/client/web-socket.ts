/** The constructor of a WebSocket, as browsers have it. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocket;

// In a variable, so that bundlers for browsers leave it alone.
const nodePackage = "ws";

/** What opens WebSockets here: the platform's own, or the package `ws` on a Node that has none. */
export function findWebSocket(): WebSocketConstructor | Promise<WebSocketConstructor> {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketConstructor };
  return WebSocket ?? import(/* @vite-ignore */ nodePackage).then((module) => module.WebSocket);
}

/** What is heard from a socket. */
export interface SocketEvents {
  opened(): void;
  received(data: string | Uint8Array): void;
  /** Once; also where it could not be opened. */
  ended(code: number): void;
}

/** A socket that may still be opening. */
export interface Socket {
  send(data: string | Uint8Array<ArrayBuffer>): void;
  /** Says good-bye. Nothing more is heard. */
  close(code?: number): void;
}

class PlatformSocket implements Socket {
  readonly #events: SocketEvents;
  #socket: WebSocket | undefined;
  #isOver = false;

  constructor(url: string, protocols: string[], find: () => ReturnType<typeof findWebSocket>, events: SocketEvents) {
    this.#events = events;
    Promise.resolve()
      .then(find)
      .then((WebSocket) => {
        if (!this.#isOver) this.#open(new WebSocket(url, protocols));
      })
      .catch(() => this.#end(1006));
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.readyState === 1) this.#socket.send(data);
  }

  close(code = 1000): void {
    this.#isOver = true;
    try {
      this.#socket?.close(code);
    } catch {
      // A page may say 1000 and 3000 to 4999 only.
      this.#socket?.close();
    }
  }

  #open(socket: WebSocket): void {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      if (!this.#isOver) this.#events.opened();
    };
    socket.onmessage = ({ data }) => {
      if (!this.#isOver) this.#events.received(typeof data === "string" ? data : new Uint8Array(data));
    };
    // Without a listener, ws would throw. What went wrong is told by the close.
    socket.onerror = () => {};
    socket.onclose = ({ code }) => this.#end(code);
  }

  #end(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#events.ended(code);
  }
}

/** Opens a WebSocket. @param find - gives the constructor */
export function openSocket(
  url: string,
  protocols: string[],
  find: () => ReturnType<typeof findWebSocket>,
  events: SocketEvents,
): Socket {
  return new PlatformSocket(url, protocols, find, events);
}
