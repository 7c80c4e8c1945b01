import { AttachServer } from "./attach-child.js";
import { median } from "./pairs.js";

const followers = 200;
/** Further apart than the coalescing interval: each write is the first of its burst. */
const gapMs = 80;
const goals = { 20: 1.1, 500: 1.1, 5000: 1.3 };
const unit = "ms to the last of 200";

/** The median time from sending a write to the last follower having it. */
function latency(server) {
  return async () => median(await server.write({ target: "/songs/7", count: 5, gapMs, deliveries: followers }));
}

/** How long 200 followers wait for a write, beside a hand-written app with Socket.IO that emits the record. */
export async function latencyRows({ load, add, progress }) {
  for (const [rows, goal] of Object.entries(goals)) {
    const servers = [];
    for (const kind of ["attach", "socket-io", "socket-io"]) {
      servers.push(await new AttachServer(kind, rows, load).open(followers, "/songs", "none"));
    }
    const [attached, io, again] = servers;
    progress(`3 servers with ${followers} followers of ${rows} rows each`);
    await add({ name: `control, ${rows} rows: Express + Socket.IO, twice`, a: latency(again), b: latency(io), unit });
    await add({
      name: `${rows} rows: Express + attach / Express + Socket.IO`,
      a: latency(attached),
      b: latency(io),
      goal,
      unit,
    });
    for (const server of servers) await server.close();
  }
}
