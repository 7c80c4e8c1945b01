// One server that is measured, in a process of its own. It is driven by messages of its parent; how it serves is in
// server-<kind>.js.
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

const { start } = await import(`./server-${process.argv[2]}.js`);
const { port, publish } = await start();

let roundDone = () => {};
const control = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", () => roundDone());
});
await new Promise((resolve) => control.listen(0, "127.0.0.1", resolve));

/** Publishes so many changes in one tick, again as soon as all of them have come through, and counts the CPU time. */
async function run({ rounds, changes }) {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round += 1) {
    const done = new Promise((resolve) => {
      roundDone = resolve;
    });
    publish(changes);
    await done;
  }
  const { user, system } = process.cpuUsage(before);
  return { cpuMicros: user + system };
}

/** The resident memory once nothing more can be collected. */
async function memory() {
  for (let pass = 0; pass < 3; pass += 1) {
    global.gc();
    await wait(30);
  }
  return process.memoryUsage();
}

process.on("message", async ({ request, action, ...options }) => {
  try {
    process.send({ request, ...(action === "run" ? await run(options) : await memory()) });
  } catch (error) {
    process.send({ request, error: error.message });
  }
});
process.on("disconnect", () => process.exit());
process.send({ port, controlPort: control.address().port });
