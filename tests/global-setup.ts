import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** What the compiler said where dist could not be built; empty where it was. */
    buildError: string;
    /** `mainReadMs` of scaffolds: 0 where all reads are to be done by threads. */
    mainReadMs: number | undefined;
    /** The engine that the cases of the scaffold's REST service run on. */
    engine: "sqlite" | "postgres";
    /** A folder for what the first file that needs it makes for all; empty where there is none. */
    sharedFolder: string;
  }
}

const root = fileURLToPath(new URL("..", import.meta.url));
const compiler = fileURLToPath(new URL("../node_modules/typescript/bin/tsc", import.meta.url));
const commandBundler = fileURLToPath(new URL("../scripts/bundle-command.js", import.meta.url));
const pageBuilder = fileURLToPath(new URL("../scripts/build-page.js", import.meta.url));

/** Runs one of the build's programs. Gives what it said where it failed; empty where it did not. */
function build(program: string, ...options: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...options], { cwd: root }, (error, stdout, stderr) => {
      resolve(error ? stdout + stderr || error.message : "");
    });
  });
}

/** Builds dist, and the page, once for all tests that run the command or import the package; those of the sources need neither. */
export async function setup(project: TestProject): Promise<() => void> {
  const command = build(compiler, "-b", "tsconfig.json").then((trouble) => trouble || build(commandBundler));
  const buildError = (await Promise.all([command, build(pageBuilder, "--silent")])).join("");
  project.provide("buildError", buildError);
  const folder = mkdtempSync(join(tmpdir(), "rocket-shared-"));
  // PostgreSQL's own user has to reach it.
  chmodSync(folder, 0o755);
  project.provide("sharedFolder", folder);
  return () => rmSync(folder, { recursive: true, force: true });
}
