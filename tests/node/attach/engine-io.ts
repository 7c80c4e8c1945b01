import { once } from "node:events";
import { WebSocket } from "ws";
import { atEnd } from "./cleanup.ts";

/** Asks a Socket.IO server `ask(text)` over a WebSocket, as its client would; resolves with the acknowledgement. */
export async function askByWebSocket(port: number, text: string): Promise<string> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`);
  atEnd(() => socket.terminate());
  await once(socket, "message");
  socket.send("40");
  await once(socket, "message");
  socket.send(`420["ask",${JSON.stringify(text)}]`);
  const [data] = await once(socket, "message");
  return String(data);
}

/** As {@link askByWebSocket}, over HTTP long-polling. */
export async function askByPolling(port: number, text: string): Promise<string> {
  const url = `http://127.0.0.1:${port}/socket.io/?EIO=4&transport=polling`;
  const handshake = await (await fetch(url)).text();
  const session = `${url}&sid=${JSON.parse(handshake.slice(1)).sid}`;
  await fetch(session, { method: "POST", body: "40" });
  await fetch(session);
  await fetch(session, { method: "POST", body: `420["ask",${JSON.stringify(text)}]` });
  return (await fetch(session)).text();
}
