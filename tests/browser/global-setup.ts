import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import chromium from "@sparticuz/chromium";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** The path of a Chromium that runs; empty where there is none. */
    chromium: string;
  }
}

/** An installed Chromium, or the one of the package, which is unpacked once into the temporary folder. */
async function findChromium(): Promise<string> {
  const installed = [process.env.ROCKET_CHROMIUM ?? "", "/usr/bin/chromium"].find((path) => existsSync(path));
  return installed ?? (await chromium.executablePath());
}

/** Finds a browser before any test runs: unpacked by several tests at a time, it would be broken. */
export async function setup(project: TestProject): Promise<void> {
  try {
    const path = await findChromium();
    execFileSync(path, ["--version", "--no-sandbox"], { stdio: "pipe", timeout: 20_000 });
    project.provide("chromium", path);
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split("\n");
    console.log(`The tests in a browser are skipped, for no Chromium runs here: ${reason}`);
    project.provide("chromium", "");
  }
}
