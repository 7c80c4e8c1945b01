// The gate: every check that a change has to pass, one after another. It stops at the first that fails and shows its
// output. `--without-tests` leaves out the last one, for whoever ran the tests just before.
import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];

/** The longest: it begins at once, beside the others. */
const patterns = promisify(execFile)(process.execPath, ["scripts/linear-patterns.js"], { cwd: root }).then(
  () => undefined,
  ({ stdout, stderr }) => stdout + stderr || "it ended at once",
);

/** Steps: a title, and a command line or a function that gives, or promises, an explanation when something is wrong. */
const steps = [
  ["format and lint", tool("@biomejs/biome/bin/biome", "ci", "--error-on-warnings", "--colors=off")],
  ["types and build", tool("typescript/bin/tsc", "-b")],
  ["types of the tests", tool("typescript/bin/tsc", "-p", "tsconfig.tests.json")],
  ["types of the page", tool("typescript/bin/tsc", "-p", "tsconfig.page.json")],
  ["the page", [process.execPath, "scripts/build-page.js"]],
  ["types of the examples", tool("typescript/bin/tsc", "-p", "examples/chat")],
  ["linear patterns", () => patterns],
  ["nothing unused", tool("knip/bin/knip.js", "--no-progress")],
  ["package metadata", tool("publint/src/cli.js", "--strict")],
  ["package types", tool("@arethetypeswrong/cli/dist/index.js", "--pack", ".", "--profile", "esm-only", "--no-color")],
  ["package content", packageContent],
  ["tests", [...npm, "test", "--silent"]],
];

const skipTests = process.argv.includes("--without-tests");
for (const [title, step] of steps) {
  if (title === "tests" && skipTests) continue;
  const started = performance.now();
  const trouble = typeof step === "function" ? await step() : run(step);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${trouble === undefined ? "ok    " : "FAILED"}  ${title} (${seconds} s)`);
  if (trouble !== undefined) {
    console.error(trouble);
    process.exit(1);
  }
}

/** The command line of a development tool, run by this Node without a shell. */
function tool(path, ...options) {
  return [process.execPath, `node_modules/${path}`, ...options];
}

/** Runs a command line; gives its output when it failed. */
function run([command, ...options]) {
  const { status, stdout, stderr, error } = spawnSync(command, options, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: 30 * 60_000,
  });
  if (status === 0) return undefined;
  return [stdout, stderr, error?.message].filter(Boolean).join("\n") || `${command} ended with ${status}`;
}

/** What npm would publish: the built layers and the documents, and nothing else. */
function packageContent() {
  const [command, ...options] = [...npm, "pack", "--dry-run", "--json", "--ignore-scripts"];
  const { status, stdout, stderr } = spawnSync(command, options, { cwd: root, encoding: "utf8" });
  if (status !== 0) return stderr;
  const paths = JSON.parse(stdout)[0].files.map(({ path }) => path);
  const wanted =
    /^(?:dist\/page\/inspector\.html|docs\/[\w-]+\.png|dist\/[a-z][\w-]*\/[\w/-]+\.(?:js|js\.map|d\.ts)|package\.json|LICENSE|tests\/vectors\/[\w-]+\.json|(?:docs\/[\w-]+|examples\/[\w-]+\/README|tests\/vectors\/README|[A-Z]+)\.md)$/;
  const needed = [
    "package.json",
    "LICENSE",
    "README.md",
    "PROTOCOL.md",
    "CHANGELOG.md",
    "dist/bin/rocket.js",
    "dist/page/inspector.html",
  ];
  const trouble = [
    ...paths.filter((path) => !wanted.test(path)).map((path) => `the package must not contain ${path}`),
    ...paths
      .filter(
        (path) => path.startsWith("dist/") && !/^dist\/(?:bin\/|page\/inspector\.html$)/.test(path) && !hasSource(path),
      )
      .map((path) => `${path} has no source any more: delete dist`),
    ...needed.filter((path) => !paths.includes(path)).map((path) => `the package lacks ${path}`),
  ];
  return trouble.length === 0 ? undefined : trouble.join("\n");
}

function hasSource(path) {
  return existsSync(
    new URL(`../${path.replace(/^dist\//, "src/").replace(/\.(?:d\.ts|js|js\.map)$/, ".ts")}`, import.meta.url),
  );
}
