// deno run --allow-net --allow-read --allow-env examples/fetch/deno.js [port]
import { connectMessageSocket } from "rocket-rest/server";
import { makeLive } from "./live.js";
import { fetchTasks } from "./tasks.js";

const { hub, answer, admit } = makeLive(fetchTasks);

/** The end of each WebSocket that is open. */
const ends = new Set();

async function handle(request) {
  const admitted = await admit(request);
  if (!admitted) return answer(request);
  if (admitted instanceof Response) return admitted;
  const { handshake, authorised } = admitted;
  const { socket, response } = Deno.upgradeWebSocket(request, { protocol: handshake.subprotocol });
  socket.binaryType = "arraybuffer";
  let connection;
  socket.onopen = () => {
    connection = connectMessageSocket(hub, handshake, socket, { authorised });
  };
  socket.onmessage = ({ data }) => connection.receive(typeof data === "string" ? data : new Uint8Array(data));
  socket.onerror = () => {};
  const { promise: end, resolve } = Promise.withResolvers();
  ends.add(end);
  socket.onclose = () => {
    ends.delete(end);
    resolve();
    connection?.closed();
  };
  return response;
}

const server = Deno.serve({
  port: Number(Deno.args[0] ?? 3000),
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/tasks`),
  handler: handle,
});

Deno.addSignalListener("SIGTERM", async () => {
  await hub.close(); // Tells everyone where they were and to come back later.
  await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, 1000))]);
  await server.shutdown();
});
