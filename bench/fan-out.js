import { Load, Server } from "./child.js";
import { comparePairs } from "./pairs.js";

const subscribers = 1_000;
const burst = 10;

/**
 * Rounds of one measurement: enough for 0.1 to 0.3 s of a server's time, which is long beside the clock's grain and
 * short beside what else a machine does.
 */
const single = { changes: 1, rounds: 15 };
const many = { changes: burst, rounds: 15 };
/** Socket.IO takes longer for a burst. */
const manyOfSocketIo = { changes: burst, rounds: 3 };

/** The servers of a run: two of each control, so that the control can be compared with itself. */
async function startServers(load) {
  const kinds = { rocket: "rocket", frames: "frames", framesAgain: "frames", io: "socket-io", ioAgain: "socket-io" };
  const servers = {};
  for (const [name, kind] of Object.entries(kinds)) {
    servers[name] = new Server(kind, load);
    await servers[name].open(subscribers);
  }
  return servers;
}

/** Server CPU per delivery to 1,000 subscribers of one collection, one change per tick and ten. */
export async function run({ pairs = 15, progress }) {
  const load = new Load();
  const { rocket, frames, framesAgain, io, ioAgain } = await startServers(load);
  progress("5 servers with 1,000 subscribers each");
  const rows = [];
  // The closer to its goal a row is, the more pairs: they are short, and what else the machine does shows in them.
  const add = async (name, a, b, goal) => {
    const times = goal === undefined || goal > 1 ? 4 : 2;
    const result = await comparePairs({ name, a, b, pairs: times * pairs, warmups: 4 });
    rows.push({ ...result, goal, unit: "µs CPU per delivery" });
    progress(rows.at(-1));
  };
  const cost = (server, load) => () => server.cpuPerDelivery(load);
  await add("control, 1 change per tick: ready-made frames, twice", cost(framesAgain, single), cost(frames, single));
  await add("1 change per tick: Rocket / ready-made frames", cost(rocket, single), cost(frames, single), 1.2);
  await add("1 change per tick: Rocket / Socket.IO", cost(rocket, single), cost(io, single), 1);
  await add("control, 10 changes per tick: Socket.IO, twice", cost(ioAgain, manyOfSocketIo), cost(io, manyOfSocketIo));
  await add("10 changes per tick: Rocket / Socket.IO", cost(rocket, many), cost(io, manyOfSocketIo), 0.25);
  await add("10 changes per tick: Rocket / ready-made frames", cost(rocket, many), cost(frames, many));
  for (const server of [rocket, frames, framesAgain, io, ioAgain]) await server.close();
  load.stop();
  return rows;
}
