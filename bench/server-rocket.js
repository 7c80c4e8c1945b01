import { createServer } from "../dist/node/index.js";
import { createMemoryStore } from "../dist/testing/index.js";
import { song } from "./payload.js";

/** Rocket over records in memory: each change is a transaction of its own. */
export async function start() {
  const { origin, journal, transaction } = bound(createMemoryStore({ collections: ["songs"] }));
  const server = createServer({ origin, journal });
  let plays = 0;
  const publish = (changes) => {
    for (let n = 0; n < changes; n += 1) transaction((writer) => writer.put("songs", song(++plays)));
  };
  publish(1);
  const { port } = await server.listen(0);
  return { port, publish };
}

function bound(store) {
  return { origin: store.origin, journal: store.journal, transaction: (write) => store.transaction(write) };
}
