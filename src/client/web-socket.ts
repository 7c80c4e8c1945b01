import type { Body } from "../protocol/index.ts";

/** The constructor of a WebSocket, as browsers have it. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocket;

/** What opens WebSockets here: the platform's own, or the package `ws` on a Node that has none. */
export async function findWebSocket(): Promise<WebSocketConstructor> {
  return (
    (globalThis.WebSocket as WebSocketConstructor | undefined) ??
    ((await import("#node-web-socket")).WebSocket as never)
  );
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
  send(data: Body): void;
  /** Says good-bye. Nothing more is heard. */
  close(code?: number): void;
}

/**
 * Opens a WebSocket.
 *
 * @param find - gives the constructor
 */
export function openSocket(url: string, protocols: string[], find: typeof findWebSocket, events: SocketEvents): Socket {
  let socket: WebSocket | undefined;
  let isOver = false;
  const end = (code: number): void => {
    if (isOver) return;
    isOver = true;
    events.ended(code);
  };
  const open = async (): Promise<void> => {
    const WebSocket = await find();
    if (isOver) return;
    socket = new WebSocket(url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => isOver || events.opened();
    socket.onmessage = ({ data }) => isOver || events.received(typeof data === "string" ? data : new Uint8Array(data));
    // Without a listener, ws would throw. What went wrong is told by the close.
    socket.onerror = () => {};
    socket.onclose = ({ code }) => end(code);
  };
  open().catch(() => end(1006));
  return {
    send: (data) => socket?.readyState === 1 && socket.send(data as string),
    close: (code = 1000) => {
      isOver = true;
      try {
        socket?.close(code);
      } catch {
        // A page may say 1000 and 3000 to 4999 only.
        socket?.close();
      }
    },
  };
}
