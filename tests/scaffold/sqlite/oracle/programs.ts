import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { openConnection } from "../../../../src/scaffold/sqlite/driver.ts";

/** A program that writes to the database. Statements that fail are passed over. */
export interface Program {
  run(statements: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

function nodeProgram(path: string): Program {
  const connection = openConnection(path);
  return {
    async run(statements) {
      for (const statement of [...statements, "COMMIT"]) {
        try {
          connection.exec(statement);
        } catch {
          // Random statements break constraints; an OR ROLLBACK may have ended the transaction.
        }
      }
    },
    close: async () => connection.close(),
  };
}

/** Writes to a child line by line, and waits for a line that says it is through. */
class ChildProgram implements Program {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #format: (statements: readonly string[]) => string;
  readonly #waiting: (() => void)[] = [];

  constructor(command: string, args: readonly string[], format: (statements: readonly string[]) => string) {
    this.#child = spawn(command, args);
    this.#child.stderr.resume();
    this.#format = format;
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      if (line === "done") this.#waiting.shift()?.();
    });
  }

  run(statements: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(this.#format(statements));
    });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin.end();
    await ended;
  }
}

const pythonScript = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
for line in sys.stdin:
    for sql in json.loads(line) + ["COMMIT"]:
        try: db.execute(sql).fetchall()
        except sqlite3.Error: pass
    print("done", flush=True)
`;

const makers: Readonly<Record<string, (path: string) => Program>> = {
  node: nodeProgram,
  python3: (path) =>
    new ChildProgram("python3", ["-c", pythonScript, path], (statements) => `${JSON.stringify(statements)}\n`),
  sqlite3: (path) =>
    new ChildProgram(
      "sqlite3",
      ["-batch", path],
      (statements) => `${[...statements, "COMMIT"].map((one) => `${one};`).join("\n")}\n.print done\n`,
    ),
};

/** The programs that this machine has. */
export const programNames: readonly string[] = Object.keys(makers).filter((name) => {
  if (name === "node") return true;
  const args = name === "python3" ? ["-c", "import sqlite3"] : ["-version"];
  return spawnSync(name, args).status === 0;
});

/** Starts one of {@link programNames} on a database. */
export function startProgram(name: string, path: string): Program {
  const make = makers[name];
  if (!make) throw new RangeError(`${name} is no program that is known.`);
  return make(path);
}
