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
  const plain = [];
  const ws = async () => {
    plain.push(await bytesPerConnection("ws", load));
    progress(`plain ws, run ${plain.length} of ${pairs}`);
    return plain.at(-1);
  };
  const rocket = () => bytesPerConnection("rocket", load);
  const unit = "bytes per connection";
  const name = "memory of an idle subscriber: Rocket / plain ws";
  const compared = await comparePairs({ name, a: rocket, b: ws, pairs, warmups: 0 });
  load.stop();
  const control = await comparePairs({
    name: "control, memory: plain ws, each run and the next",
    a: stepThrough(plain.slice(1).concat(plain[0])),
    b: stepThrough(plain),
    pairs,
    warmups: 0,
  });
  const rows = [
    { ...control, unit },
    { ...compared, goal: 1.6, unit },
  ];
  for (const row of rows) progress(row);
  return rows;
}

/** Gives measured values one after another, as if they were measured now. */
function stepThrough(values) {
  const rest = values.values();
  return () => rest.next().value;
}
