import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect, inject, onTestFinished } from "vitest";

/** What a process in the tests is asked, and answers over IPC. */
export class Child {
  readonly process: ChildProcess;
  #asked = 0;

  constructor(script: string, args: readonly string[], execArgv: readonly string[] = []) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    this.process = fork(path, args, { execArgv: [...execArgv], stdio: ["ignore", "ignore", "inherit", "ipc"] });
    onTestFinished(async () => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) return;
      this.process.kill("SIGKILL");
      await once(this.process, "close");
    });
  }

  get isAlive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** The first message. */
  async started<Message>(): Promise<Message> {
    return (await once(this.process, "message"))[0];
  }

  /** @throws Error where the process ends before it answers */
  ask<Answer>(ask: string): Promise<Answer> {
    this.#asked += 1;
    const id = this.#asked;
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error("The process has ended."));
      const look = (message: { readonly id?: number; readonly answer: Answer }) => {
        if (message.id !== id) return;
        this.process.off("message", look);
        this.process.off("close", ended);
        resolve(message.answer);
      };
      this.process.on("message", look);
      this.process.once("close", ended);
      if (this.isAlive) this.process.send({ id, ask });
      else ended();
    });
  }
}

interface Memory {
  readonly bytes: number;
  readonly peak: number;
  readonly errors: readonly string[];
}

interface Latency {
  readonly count: number;
  readonly p99: number;
  readonly failures: readonly string[];
}

/** What is attacked: a process of its own with a heap of 256 MB. */
export interface Target {
  readonly url: string;
  readonly port: number;
  readonly child: Child;
  /** What good clients ask for. */
  readonly small: string;
}

/** A folder that goes with the test. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-security-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * Starts a target.
 *
 * @param small - a small resource, which good clients ask for
 */
export async function startTarget(kind: "serve" | "attach" | "proxy", options: object, small: string): Promise<Target> {
  const buildError = inject("buildError");
  if (buildError !== "") throw new Error(`dist could not be built:\n${buildError}`);
  const child = new Child("target.js", [kind, JSON.stringify(options)], ["--max-old-space-size=256", "--expose-gc"]);
  const { port } = await child.started<{ port: number }>();
  return { url: `http://127.0.0.1:${port}`, port, child, small };
}

/** A target that serves a database: the table `small` with one row, which good clients ask for, and an empty one, `big`. */
export async function startServe(
  options: { readonly scaffold?: object; readonly limits?: object } = {},
  sql = "",
): Promise<Target & { readonly path: string }> {
  const path = join(newFolder(), "data.db");
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.exec("CREATE TABLE small (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO small VALUES (1, 'x')");
  database.exec(`CREATE TABLE big (id INTEGER PRIMARY KEY, text TEXT); ${sql}`);
  database.close();
  return { ...(await startTarget("serve", { ...options, scaffold: { ...options.scaffold, path } }, "/small/1")), path };
}

/** The number of samples after which the good clients' control is taken. */
const controlSamples = 200;
/** How often an attack is tried until the others' requests are quick beside it. */
const maxAttacks = 5;
/** How slow another's request may be beside an attack, in milliseconds, where one is quick without it. */
const boundMs = 250;
/** And where the machine is slow by itself: this many times as slow as without it. A loop that an attack holds is slower by far. */
const boundRatio = 10;
const mib = 1024 * 1024;

async function measure(clients: Child, atLeast: number): Promise<Latency> {
  let all: Latency = { count: 0, p99: 0, failures: [] };
  while (all.count < atLeast) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    const next = await clients.ask<Latency>("latency");
    const failures = [...all.failures, ...next.failures];
    all = { count: all.count + next.count, p99: Math.max(all.p99, next.p99), failures };
  }
  return all;
}

/** What an attack may leave behind, and may hold while it lasts. */
export interface Bounds {
  /** MiB more than before, once the attack is over. Default 40: what is kept of recent changes, and some noise. */
  readonly leftMib?: number;
  /** MiB more than before that are in use at the attack's height, heap and buffers. Default 120. */
  readonly heldMib?: number;
  /** MiB at the peak, with what waits to be collected. Default 400. */
  readonly peakMib?: number;
}

/**
 * Runs an attack while 20 good clients go on: the process lives, each of them is answered, 99 of 100 times soon, what it
 * holds is bounded, and the memory comes back.
 *
 * @param attack - resolves when it has done its worst; what it gives ends it
 */
export async function withstand(
  { url, small, child }: Target,
  attack: () => Promise<() => void>,
  { leftMib = 40, heldMib = 120, peakMib = 400 }: Bounds = {},
): Promise<void> {
  const clients = new Child("good-clients.js", [url, small]);
  await clients.started();
  const control = await measure(clients, controlSamples);
  expect(control.failures).toEqual([]);
  const before = await child.ask<Memory>("memory");
  // Where the machine is slow, the control is slow as well; where it is slow just then, the loop's own time tells, or
  // another attack does.
  const mostMs = Math.max(boundMs, control.p99 * boundRatio);
  let slowest = Number.POSITIVE_INFINITY;
  for (let attacks = 0; attacks < maxAttacks && slowest >= mostMs; attacks += 1) {
    await child.ask("startDelay");
    await clients.ask("latency");
    const end = await attack();
    const during = await measure(clients, 1);
    slowest = Math.min(during.p99, await child.ask<number>("delay"));
    const atPeak = await child.ask<Memory>("memory");
    end();
    expect(during.failures).toEqual([]);
    expect((atPeak.bytes - before.bytes) / mib).toBeLessThan(heldMib);
    expect(atPeak.peak / mib).toBeLessThan(peakMib);
  }
  expect(slowest).toBeLessThan(mostMs);
  const left = async () => ((await child.ask<Memory>("memory")).bytes - before.bytes) / mib;
  await expect.poll(left, { timeout: 20_000, interval: 250 }).toBeLessThan(leftMib);
  expect(child.isAlive).toBe(true);
  clients.process.kill("SIGKILL");
}
