import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { onTestFinished } from "vitest";

/** True where a program can be run. */
export function hasProgram(file: string): boolean {
  return spawnSync(file, ["--version"], { stdio: "ignore" }).error === undefined;
}

/** Runs a program until the test ends. */
export function run(file: string, args: readonly string[], cwd?: string): ChildProcess {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"], ...(cwd !== undefined && { cwd }) });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  });
  return child;
}

/** The first line that a program prints. */
export async function firstLine({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const part of stdout ?? []) {
    text += String(part);
    if (text.includes("\n")) break;
  }
  return text.split("\n")[0] ?? "";
}

/** A port that nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until a URL is answered, whatever the answer. */
export async function answered(url: string): Promise<void> {
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer();
      return;
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
