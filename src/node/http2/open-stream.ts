import type { EventEmitter } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { readHead } from "./heads.ts";
import { StreamSocket } from "./stream-socket.ts";

/**
 * Gives a stream to a server as a connection of HTTP/1.1.
 *
 * @param raw - the fields of its request, names and values in turn
 * @returns that connection; `undefined` where the stream was refused, or is closed already
 */
export function openStream(
  server: EventEmitter,
  socket: TLSSocket,
  stream: ServerHttp2Stream,
  raw: readonly string[],
): StreamSocket | undefined {
  stream.on("error", () => {});
  if (stream.destroyed || stream.closed) return undefined;
  const head = readHead(raw, stream.endAfterHeaders);
  if (typeof head === "number") {
    stream.respond({ ":status": head }, { endStream: true });
    return undefined;
  }
  const connection = new StreamSocket(server, socket, stream, head);
  server.emit("secureConnection", connection);
  return connection;
}
