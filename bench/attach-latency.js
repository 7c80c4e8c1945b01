import { AttachServer } from "./attach-child.js";
import { median } from "./pairs.js";

const followers = 200;
/** Further apart than the coalescing interval: each write is the first of its burst. */
const gapMs = 80;
/** The bytes of a row say what each is: 90 as in a list, 200 with all that a record may have. */
const documents = [
  { rows: 20, size: "listed", bytes: 90, goal: 1.1 },
  { rows: 500, size: "listed", bytes: 90, goal: 1.1 },
  { rows: 5000, size: "listed", bytes: 90, goal: 1.3 },
  { rows: 5000, size: "whole", bytes: 200 },
];
const unit = "ms to the last of 200";

/** The median time from sending a write to the last follower having it. */
function latency(server) {
  return async () => median(await server.write({ target: "/songs/7", count: 5, gapMs, deliveries: followers }));
}

/** How long 200 followers wait for a write, beside a hand-written app with Socket.IO that emits the record. */
export async function latencyRows({ load, add, progress }) {
  for (const { rows, size, bytes, goal } of documents) {
    const servers = [];
    for (const kind of ["attach", "socket-io", "socket-io", "socket-io-render"]) {
      servers.push(await new AttachServer(kind, rows, load, size).open(followers, "/songs", "none"));
    }
    const [attached, io, again, rendering] = servers;
    const what = `${rows} rows of ${bytes} bytes`;
    progress(`4 servers with ${followers} followers of ${what} each`);
    await add({ name: `control, ${what}: Express + Socket.IO, twice`, a: latency(again), b: latency(io), unit });
    await add({
      name: `${what}: Express + attach / Express + Socket.IO`,
      a: latency(attached),
      b: latency(io),
      goal,
      unit,
    });
    await add({
      name: `${what}: Socket.IO and the list rendered / Socket.IO`,
      a: latency(rendering),
      b: latency(io),
      unit,
    });
    for (const server of servers) await server.close();
  }
}
