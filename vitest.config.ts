import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The tests of reads, which threads must pass, too. */
const threaded = [
  ...["conditions", "live", "query", "read", "row-rules-live"].map((name) => `rest/${name}`),
  ...["additions", "busy", "left-out", "quoted-strings", "scaffold"].map((name) => `sqlite/${name}`),
];

/** What needs a process of its own: others share one with the files before, for whose start a third of the time went. */
const alone = ["tests/{react,browser,security}/**/*.test.{ts,tsx}", "tests/node/close.test.ts"];

/**
 * For the servers that tests start: what PostgreSQL gives back and takes again with each statement, glibc keeps (mallopt(3)).
 * Where a page fault costs much, as in a virtual machine, a fifth of the time of the tests on PostgreSQL went there.
 */
const keptMemory = { MALLOC_TOP_PAD_: "67108864", MALLOC_TRIM_THRESHOLD_: "268435456" };

/**
 * What only `ROCKET_LONG=1` runs: what shows that models and the check find what they are to find, and, on PostgreSQL, cases
 * of what lies above the engines.
 */
const isLong = process.env.ROCKET_LONG !== undefined;
const long = [
  "tests/{client,convergence,scaffold/postgres}/defects.test.ts",
  "tests/check/broken-servers.test.ts",
  "tests/convergence/postgres-processes.test.ts",
];
const aboveEngines =
  "tests/scaffold/rest/{authorize,bare-lists,base-path,bounds,json-patch,models,modified,part-urls,parts,row-rules,rows,sign-in-attacks,sign-in-places,single}.test.ts";

export default defineConfig({
  resolve: {
    alias: [
      // Threads run what is built: Node can't run the sources.
      {
        find: /^\.\/thread-url\.ts$/,
        replacement: fileURLToPath(new URL("tests/thread-url.ts", import.meta.url)),
      },
    ],
  },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "all",
          include: ["tests/**/*.test.{ts,tsx}"],
          exclude: isLong ? alone : [...alone, ...long],
          isolate: false,
        },
      },
      // After the others, and fewer at a time: they look at how long things take, and how much memory.
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      // The same answers come from threads.
      {
        extends: true,
        test: {
          name: "threads",
          isolate: false,
          include: threaded.map((name) => `tests/scaffold/${name}.test.ts`),
          provide: { mainReadMs: 0 },
        },
      },
      // And PostgreSQL gives them, too.
      {
        extends: true,
        test: {
          name: "postgres",
          isolate: false,
          include: ["tests/scaffold/rest/*.test.ts"],
          exclude: isLong ? [] : [aboveEngines],
          provide: { engine: "postgres" },
          globalSetup: ["tests/scaffold/postgres/global-setup.ts"],
        },
      },
    ],
    provide: { mainReadMs: undefined, engine: "sqlite", postgresFolder: "" },
    globalSetup: ["tests/global-setup.ts", "tests/browser/global-setup.ts"],
    setupFiles: ["tests/patience.ts"],
    expect: { poll: { timeout: 20_000 } },
    unstubGlobals: true,
    unstubEnvs: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: "forks",
    // Many tests wait for other processes. By default, a machine of two cores would run one file at a time.
    maxWorkers: Math.max(3, availableParallelism() - 1),
    // The package websocket brings native parts along, which ws would use: users of Rocket don't have them.
    env: { WS_NO_BUFFER_UTIL: "1", WS_NO_UTF_8_VALIDATE: "1", ...keptMemory },
  },
});
