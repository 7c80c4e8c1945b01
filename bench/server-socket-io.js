import { createServer } from "node:http";
import { Server } from "socket.io";
import { song } from "./payload.js";

/** Socket.IO: a room, and an event for each change with the same JSON. */
export async function start() {
  const server = createServer();
  const io = new Server(server, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
  io.on("connection", (socket) => socket.join("songs"));
  let plays = 0;
  const publish = (changes) => {
    for (let n = 0; n < changes; n += 1) io.to("songs").emit("change", { record: song(++plays) });
  };
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: server.address().port, publish };
}
