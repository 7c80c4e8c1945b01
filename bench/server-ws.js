import { createServer } from "node:http";
import { WebSocketServer } from "ws";

/** Plain `ws` as its own examples use it: with listeners for messages, errors and the end. */
export async function start() {
  const server = createServer();
  const webSockets = new WebSocketServer({ server });
  webSockets.on("connection", (webSocket) => {
    webSocket.on("message", () => {});
    webSocket.on("error", () => {});
    webSocket.on("close", () => {});
  });
  const publish = (changes) => {
    for (let n = 0; n < changes; n += 1) for (const webSocket of webSockets.clients) webSocket.send("change");
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, publish };
}
