// `npm run bench -- [fan-out] [memory] [filters] [codec] [client] [react] [proxy] [attach] [reads] [deltas] [page] [rest] [postgres] [--strict] [--pairs N]`: measures Rocket
// against controls of the same run and prints ratios. docs/performance.md says how to read them.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { formatRow, formatTable, isMissed } from "./table.js";

const suites = [
  "codec",
  "filters",
  "fan-out",
  "memory",
  "client",
  "react",
  "proxy",
  "attach",
  "reads",
  "deltas",
  "page",
  "rest",
  "postgres",
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { strict: { type: "boolean", default: false }, pairs: { type: "string", default: "15" } },
});
const pairs = Number(values.pairs);
const unknown = positionals.filter((name) => !suites.includes(name));
if (unknown.length > 0 || !(pairs >= 15)) {
  console.error(`usage: npm run bench -- [${suites.join("] [")}] [--strict] [--pairs N], N at least 15`);
  process.exit(2);
}

// What a development dependency brings along would make ws faster than it is for users.
process.env.WS_NO_BUFFER_UTIL = process.env.WS_NO_UTF_8_VALIDATE = "1";

const started = performance.now();
const seconds = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s`;
const progress = (news) => console.log(`${seconds()}  ${typeof news === "string" ? news : formatRow(news)}`);

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim() ?? "CPU"}, ${pairs} pairs a row\n`);
const rows = [];
for (const name of positionals.length > 0 ? positionals : suites) {
  const { run } = await import(`./${name}.js`);
  const found = await run({ pairs, progress });
  // A suite that tells nothing while it runs is told when it ends.
  if (name === "codec") for (const row of found) progress(row);
  rows.push(...found);
}
console.log(`\n${formatTable(rows)}`);

const missed = rows.filter(isMissed);
console.log(missed.length === 0 ? "All goals are met." : `Missed: ${missed.map(({ name }) => name).join("; ")}.`);
process.exitCode = values.strict && missed.length > 0 ? 1 : 0;
