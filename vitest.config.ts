import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** The tests of reads, which threads must pass, too. */
const threaded = [
  ...["bounds", "conditions", "live", "query", "read", "row-rules-live"].map((name) => `rest/${name}`),
  ...["additions", "busy", "left-out", "nullable-keys", "numbers", "quoted-strings", "scaffold", "types"].map(
    (name) => `sqlite/${name}`,
  ),
];

/** What needs a process of its own: others share one with the files before, for whose start a third of the time went. */
const alone = ["tests/{react,browser,security}/**/*.test.{ts,tsx}", "tests/node/close.test.ts"];

/** What shows that models find what they are to find: that they can is known once, and takes long. */
const long = process.env.ROCKET_LONG === undefined ? ["tests/{client,convergence}/defects.test.ts"] : [];

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
          exclude: [...alone, ...long],
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
    env: { WS_NO_BUFFER_UTIL: "1", WS_NO_UTF_8_VALIDATE: "1" },
  },
});
