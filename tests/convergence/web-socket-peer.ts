import { WebSocket } from "ws";
import { decodeResponse, encodeRequest, type Field, subprotocolName } from "../../src/protocol/index.ts";
import type { Call, Peer } from "./surroundings.ts";

/** A client's end of a WebSocket. */
class WebSocketPeer implements Peer {
  readonly peakUnreadBytes = 0;
  pings = 0;
  closing: Peer["closing"];
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  request(method: string, target: string, fields: readonly Field[] = []): void {
    this.send(encodeRequest({ method, target, fields }));
  }

  send(data: string | Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(data);
  }

  pause(): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.pause();
  }

  resume(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  disconnect(): void {
    this.#socket.terminate();
  }
}

/**
 * Opens a WebSocket. Resolves once it is open, or has failed: then it is closed from the start.
 *
 * @param onEvent - called after each message and when the connection ends
 */
export function openWebSocket(base: string, call: Call, onEvent: () => void): Promise<Peer> {
  const { level, target, fields, onMessage } = call;
  const url = `${base.replace(/^http/, "ws")}${target}`;
  const socket = new WebSocket(url, level === 1 ? [subprotocolName] : [], {
    headers: Object.fromEntries(fields),
    perMessageDeflate: false,
  });
  const peer = new WebSocketPeer(socket);
  socket.on("message", (data: Buffer, isBinary) => {
    onMessage(decodeResponse(isBinary ? data : data.toString("utf8")));
    onEvent();
  });
  socket.on("ping", () => {
    peer.pings += 1;
  });
  return new Promise((resolve) => {
    const end = (code: number, reason: string): void => {
      peer.closing ??= { code, reason };
      resolve(peer);
      onEvent();
    };
    socket.on("open", () => {
      resolve(peer);
      onEvent();
    });
    socket.on("unexpected-response", (_request, response) => end(4000 + (response.statusCode ?? 0), ""));
    socket.on("error", () => end(1006, ""));
    socket.on("close", (code, reason) => end(code, reason.toString("utf8")));
  });
}
