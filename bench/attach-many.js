import { setTimeout as wait } from "node:timers/promises";
import { AttachServer } from "./attach-child.js";

const followers = 1_000;
const rows = 20;
const coalesceMs = 50;
/** After it no look again is due any more. */
const quietMs = 300;
const burstMs = 230;

async function getsDuring(server, action) {
  const before = (await server.ask("counts")).gets;
  const outcome = await action();
  await wait(quietMs);
  return { gets: (await server.ask("counts")).gets - before, outcome };
}

/** GETs that 1,000 anonymous followers of one URL cost. */
export async function burstRows({ load, add, progress }) {
  const server = await new AttachServer("attach", rows, load).open(followers, "/songs", "none");
  progress(`${followers} anonymous followers of one URL: ${(await server.ask("counts")).gets} GET so far`);
  const one = { target: "/songs/7", count: 1, gapMs: 0, deliveries: followers };
  const single = async () => (await getsDuring(server, () => server.write(one))).gets;
  await add({ name: "one write: GETs / 1", a: single, b: () => 1, goal: 1, unit: "GETs" });
  let burst;
  const gets = async () => {
    const { gets: counted, outcome } = await getsDuring(server, () =>
      server.burst({ target: "/songs/7", millis: burstMs }),
    );
    burst = { counted, ...outcome };
    return counted;
  };
  // One GET at once and one for each interval that was begun, in the last burst: all are as long.
  const intervals = async () => {
    if (!burst) await gets();
    return 1 + Math.ceil(burst.tookMs / coalesceMs);
  };
  await add({ name: "a burst of writes: GETs / intervals of 50 ms", a: gets, b: intervals, goal: 1, unit: "GETs" });
  progress(`the last burst: ${burst.writes} writes in ${Math.round(burst.tookMs)} ms, ${burst.counted} GETs`);
  await server.close();
}

/** How long the event loop is held up when one write makes the views of 1,000 private viewers stale. */
export async function viewerRows({ load, add, progress }) {
  const servers = [];
  for (const kind of ["attach", "attach", "unbounded"]) {
    servers.push(await new AttachServer(kind, rows, load).open(followers, "/mine", "own"));
  }
  const [bounded, again, unbounded] = servers;
  progress(`3 servers with ${followers} private viewers each`);
  const delayOf = (server, measure) => async () => {
    await server.ask("watchDelay");
    await server.write({ target: "/mine/7", count: 1, gapMs: 0, deliveries: followers });
    const found = (await server.ask("delay"))[measure];
    await wait(quietMs);
    return found;
  };
  const compare = (name, a, b, measure) =>
    add({
      name: `${measure} of the loop's delay, ${name}`,
      a: delayOf(a, measure),
      b: delayOf(b, measure),
      unit: "ms",
    });
  await compare("control: 16 GETs at once, twice", again, bounded, "max");
  await compare("1,000 private viewers: 16 GETs at once / all", bounded, unbounded, "max");
  await compare("1,000 private viewers: 16 GETs at once / all", bounded, unbounded, "p99");
  for (const server of servers) await server.close();
}
