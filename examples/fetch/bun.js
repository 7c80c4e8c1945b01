// bun examples/fetch/bun.js [port]
import { connectMessageSocket } from "rocket-rest/server";
import { makeLive } from "./live.js";
import { fetchTasks } from "./tasks.js";

const { hub, answer, admit } = makeLive(fetchTasks);

const server = Bun.serve({
  port: Number(process.argv[2] ?? 3000),
  hostname: "127.0.0.1",
  idleTimeout: 40, // Seconds: a quiet stream says something every 20.
  async fetch(request, server) {
    const admitted = await admit(request);
    if (!admitted) return answer(request);
    if (admitted instanceof Response) return admitted;
    const { subprotocol } = admitted.handshake;
    const headers = subprotocol ? { "Sec-WebSocket-Protocol": subprotocol } : {};
    if (server.upgrade(request, { data: admitted, headers })) return undefined;
    return new Response("This is no WebSocket handshake.", { status: 400 });
  },
  websocket: {
    maxPayloadLength: hub.limits.maxMessageBytes,
    open(socket) {
      const { handshake, authorised } = socket.data;
      socket.data.connection = connectMessageSocket(hub, handshake, socket, { authorised });
    },
    message(socket, message) {
      socket.data.connection.receive(message);
    },
    close(socket) {
      socket.data.connection.closed();
    },
  },
});

console.log(`http://127.0.0.1:${server.port}/tasks`);

process.once("SIGTERM", async () => {
  await hub.close(); // Tells everyone where they were and to come back later.
  await server.stop();
});
