import { Load, Server } from "./child.js";
import { comparePairs } from "./pairs.js";

const connections = 10_000;

/** Bytes of resident memory that a connection adds, measured in a server that lives only for that. */
async function bytesPerConnection(kind, load) {
  const server = new Server(kind, load);
  try {
    const before = await server.memory();
    await server.open(connections);
    const after = await server.memory();
    return (after.rss - before.rss) / connections;
  } finally {
    await server.close();
  }
}

/** Resident memory for each idle Level 1 subscriber at 10,000 of them, against connections of plain `ws`. */
export async function run({ pairs = 15, progress }) {
  const load = new Load();
  const rocket = () => bytesPerConnection("rocket", load);
  const ws = () => bytesPerConnection("ws", load);
  const unit = "bytes per connection";
  const rows = [];
  const add = async (row) => {
    rows.push({ ...(await comparePairs({ pairs, warmups: 0, ...row })), goal: row.goal, unit });
    progress(rows.at(-1));
  };
  await add({ name: "control: memory of plain ws, twice", a: ws, b: ws });
  await add({ name: "memory of an idle subscriber: Rocket / plain ws", a: rocket, b: ws, goal: 1.6 });
  load.stop();
  return rows;
}
