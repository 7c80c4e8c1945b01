import { connect } from "node:net";
import { PostgresServer } from "./postgres-server.js";

const count = 10_000;
const goalSeconds = 10;
/** How many shake hands at once. */
const atOnce = 200;

/** One that comes back with its position: the status of the first message that it gets. */
function resume(port, eventId, sockets) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    sockets.push(socket);
    let text = "";
    socket.on("error", reject);
    socket.on("data", (data) => {
      text += data.toString("latin1");
      const [, status] = /HTTP\/1\.1 (?!101)(\d{3}) /.exec(text) ?? [];
      if (status) resolve(status);
    });
    socket.write(
      "GET /songs HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        `Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Protocol: rocket.v1\r\nLast-Event-ID: ${eventId}\r\n\r\n`,
    );
  });
}

/** Ten thousand come back to a server that was just started: how long until the last is told, and how many got a snapshot. */
export async function resumeRows(cluster, progress) {
  const url = await cluster.makeDatabase();
  const before = await new PostgresServer("rocket", url).start();
  const response = await fetch(`http://127.0.0.1:${before.port}/songs`);
  const eventId = response.headers.get("event-id");
  await response.arrayBuffer();
  await before.stop();
  const after = await new PostgresServer("rocket", url).start();
  const [sockets, statuses] = [[], []];
  const started = performance.now();
  let left = count;
  const loops = Array.from({ length: atOnce }, async () => {
    while (left > 0) {
      left -= 1;
      statuses.push(await resume(after.port, eventId, sockets));
    }
  });
  await Promise.all(loops);
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  await after.stop();
  const row = (name, a, b, goal, unit) => ({ name, a, b, goal, unit, pairs: 1, ratio: a / b, low: a / b, high: a / b });
  const snapshots = statuses.filter((status) => status !== "304").length;
  const rows = [
    row("10,000 resumes after a restart / 10 s", seconds, goalSeconds, 1, "s"),
    row("snapshots sent / 10,000 resumes", snapshots, count, 0, "snapshots"),
  ];
  for (const one of rows) progress(one);
  return rows;
}
