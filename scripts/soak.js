// `npm run soak -- postgres --kills 1000 --seed 1`: random writes, readers and kills over real processes until there were
// so many kills; checks every promise of docs/guarantees.md in rounds, and writes a report. A round that fails is repeated
// by its seed.

import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startVitest } from "vitest/node";

const engines = ["postgres", "sqlite"];
const usage = `usage: npm run soak -- ${engines.join("|")} [--kills N] [--seed N] [--report FILE]`;

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        kills: { type: "string", default: "100" },
        seed: { type: "string", default: String(Math.floor(Math.random() * 1e6)) },
        report: { type: "string" },
      },
    });
  } catch (error) {
    return fail(error.message);
  }
}

function fail(text) {
  console.error(`${text}\n${usage}`);
  process.exit(2);
}

const { values, positionals } = parse();
const [engine = ""] = positionals;
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (positionals.length !== 1 || !engines.includes(engine)) fail("Name one engine.");
if (!Number.isInteger(kills) || kills < 1) fail("--kills must be a whole number of at least 1.");
if (!Number.isInteger(seed) || seed < 0) fail("--seed must be a whole number of at least 0.");

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const report = resolve(values.report ?? `soak-${engine}-${seed}.json`);
const vitest = await startVitest(
  "test",
  [],
  {
    config: false,
    watch: false,
    root: path("."),
    include: ["tests/convergence/soak.ts"],
    globalSetup: [path("tests/global-setup.ts")],
    provide: { soak: { engine, kills, seed, report }, mainReadMs: undefined, engine: "sqlite", postgresFolder: "" },
    pool: "forks",
    reporters: [{}],
    disableConsoleIntercept: true,
    hookTimeout: 60_000,
  },
  { resolve: { alias: [{ find: /^\.\/thread-url\.ts$/, replacement: path("tests/thread-url.ts") }] } },
);
const failed = vitest.state.getFiles().length === 0 || vitest.state.getCountOfFailedTests() > 0;
for (const error of vitest.state.getUnhandledErrors()) console.error(error);
for (const { result } of vitest.state.getFiles())
  for (const error of result?.errors ?? []) console.error(error.message);
await vitest.close();
console.log(failed ? `Failed. ${report} says how.` : `Nothing was found. ${report} has the counts.`);
process.exit(failed ? 1 : 0);
