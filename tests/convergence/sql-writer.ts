import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const python = `
import json, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], 10, isolation_level=None)
for line in sys.stdin:
    tag, *statements = json.loads(line)
    for number, statement in enumerate(statements):
        try:
            connection.execute(statement)
        except sqlite3.Error as error:
            if number == 0:
                break
    print(tag, flush=True)
`;

const node = `
const { createInterface } = require("node:readline");
const database = new (require("better-sqlite3"))(process.argv[1], { timeout: 10000 });
createInterface({ input: process.stdin }).on("line", (line) => {
  const [tag, ...statements] = JSON.parse(line);
  for (const [number, statement] of statements.entries()) {
    try {
      database.exec(statement);
    } catch {
      if (number === 0) break;
    }
  }
  console.log(tag);
});
`;

interface Program {
  readonly file: string;
  readonly args: (path: string) => readonly string[];
  /** The text that has it run the statements and then print the tag. */
  readonly input: (tag: string, statements: readonly string[]) => string;
}

function asJson(tag: string, statements: readonly string[]): string {
  return `${JSON.stringify([tag, ...statements])}\n`;
}

function asSql(tag: string, statements: readonly string[]): string {
  return `${statements.map((statement) => `${statement};\n`).join("")}SELECT '${tag}';\n`;
}

const programs: Readonly<Record<string, Program>> = {
  python3: { file: "python3", args: (path) => ["-c", python, path], input: asJson },
  sqlite3: { file: "sqlite3", args: (path) => ["-cmd", ".timeout 10000", path], input: asSql },
  node: { file: process.execPath, args: (path) => ["-e", node, path], input: asJson },
};

/** Programs that are installed and can write SQL: other people's SQLite, each with its own version. */
export function installedWriters(): string[] {
  return Object.keys(programs).filter((name) => {
    if (name === "node") return true;
    const test = name === "python3" ? ["-c", "import sqlite3"] : ["--version"];
    return spawnSync(name, test).status === 0;
  });
}

/** Another process that writes to the database with plain SQL. */
export class SqlWriter {
  readonly #program: Program;
  readonly #path: string;
  readonly #waiting: Map<string, () => void> = new Map();
  #child: ChildProcess;
  #tags = 0;

  /** @param name - one of {@link installedWriters} */
  constructor(name: string, path: string) {
    const program = programs[name];
    if (!program) throw new RangeError(`There is no program ${name}.`);
    this.#program = program;
    this.#path = path;
    this.#child = this.#start();
  }

  /** Runs statements one by one; where the first fails, none. Resolves when they are done, or the process is gone. */
  run(statements: readonly string[]): Promise<void> {
    const tag = `done ${++this.#tags}`;
    return new Promise((resolve) => {
      this.#waiting.set(tag, resolve);
      this.#child.stdin?.write(this.#program.input(tag, statements));
    });
  }

  /** `kill -9`, and another one. */
  async killAndRestart(): Promise<void> {
    await this.end();
    this.#child = this.#start();
  }

  /** `kill -9`. Twice is fine. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "close");
    this.#child.kill("SIGKILL");
    await gone;
  }

  #start(): ChildProcess {
    const child = spawn(this.#program.file, this.#program.args(this.#path), { stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.on("error", () => {});
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.#waiting.get(line)?.();
      this.#waiting.delete(line);
    });
    child.on("close", () => {
      for (const resolve of this.#waiting.values()) resolve();
      this.#waiting.clear();
    });
    return child;
  }
}
