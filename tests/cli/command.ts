import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { inject, onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** How a command ended. */
export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs; ended with the test. */
export class Command {
  readonly process: ChildProcess;
  readonly result: Promise<Result>;
  stdout = "";
  stderr = "";
  #waiting: (() => void)[] = [];

  constructor(file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.process = spawn(file, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    this.process.stdout?.setEncoding("utf8").on("data", (text: string) => this.#add({ stdout: text }));
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => this.#add({ stderr: text }));
    this.result = new Promise((resolve) => {
      this.process.on("close", (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        this.#add({});
      });
    });
    onTestFinished(async () => {
      if (this.process.exitCode === null) this.process.kill("SIGKILL");
      await this.result;
    });
  }

  /** Waits until the output passes `test`. @throws Error where the command ends before it does */
  async until(test: (command: Command) => boolean): Promise<void> {
    while (!test(this)) {
      if (this.process.exitCode !== null || this.process.signalCode !== null) {
        throw new Error(`The command has ended: ${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #add({ stdout = "", stderr = "" }: { stdout?: string; stderr?: string }): void {
    this.stdout += stdout;
    this.stderr += stderr;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Runs a script of the built package with Node. */
export function runNode(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  const buildError = inject("buildError");
  if (buildError !== "") throw new Error(`dist could not be built:\n${buildError}`);
  return new Command(process.execPath, [script, ...args], env);
}

/** Runs `rocket`. */
export function rocket(...args: readonly string[]): Command {
  return runNode("dist/bin/rocket.js", args);
}

/** Runs `rocket serve` and waits for its URL. */
export async function serve(...args: readonly string[]): Promise<{ command: Command; url: string }> {
  const command = rocket("serve", ...args);
  const pattern = /http:\/\/127\.0\.0\.1:\d+\n/;
  await command.until(({ stdout }) => pattern.test(stdout) && stdout.includes("/"));
  return { command, url: pattern.exec(command.stdout)?.[0].trim() ?? "" };
}
