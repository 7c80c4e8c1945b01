import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { encodeResponse } from "../dist/protocol/index.js";
import { webSocketFraming } from "../dist/server/index.js";
import { song } from "./payload.js";

/**
 * The control: a list of sockets, and one write of ready-made bytes to each. The bytes are what Rocket sends, made once
 * for the whole run.
 */
export async function start() {
  const sockets = new Set();
  const handshakes = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    handshakes.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.add(socket);
      webSocket.on("error", () => {});
      webSocket.on("close", () => sockets.delete(socket));
    });
  });
  const message = encodeResponse({
    status: 202,
    fields: [
      ["Content-Type", "application/json"],
      ["Content-Location", "/songs/4711"],
      ["ETag", '"1x2y3z4-56"'],
      ["Event-ID", "m0123456789:1000.0"],
    ],
    body: JSON.stringify({ record: song(1) }),
  });
  const frame = Buffer.from(webSocketFraming.frame(message));
  const joined = new Map();
  const publish = (changes) => {
    let bytes = joined.get(changes);
    if (!bytes) {
      bytes = Buffer.concat(Array(changes).fill(frame));
      joined.set(changes, bytes);
    }
    for (const socket of sockets) socket.write(bytes);
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, publish };
}
