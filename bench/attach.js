import { latencyRows } from "./attach-latency.js";
import { burstRows, viewerRows } from "./attach-many.js";
import { overheadRows } from "./attach-overhead.js";
import { Load } from "./child.js";
import { comparePairs } from "./pairs.js";

/** What `attach` makes of an Express app: what it costs, how often it asks, how long followers wait. */
export async function run({ pairs = 15, progress }) {
  const load = new Load();
  const rows = [];
  const add = async ({ goal, unit, ...row }) => {
    rows.push({ ...(await comparePairs({ pairs, warmups: 3, ...row })), goal, unit });
    progress(rows.at(-1));
  };
  for (const measure of [overheadRows, burstRows, viewerRows, latencyRows]) await measure({ load, add, progress });
  load.stop();
  return rows;
}
