import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { constants } from "node:os";
import { resolve } from "node:path";
import { isPostgresUrl, migrate, pauseJournal, type RunMigrations } from "../scaffold/index.ts";
import { CommandFailure, explain } from "./failure.ts";
import { processOutput } from "./output.ts";
import { systemErrorCode } from "./system-error.ts";

/** What `rocket migrate` runs, and on what. */
export interface MigrateOptions {
  /** The path of the SQLite database, or a URL of PostgreSQL. */
  readonly database: string;
  /** The command and what follows it; or a folder of migrations, alone. */
  readonly command: readonly string[];
}

/** As shells have them. */
const exitCodes = { notExecutable: 126, notFound: 127, signal: 128 } as const;

/** Hands signals on to a process until it ends; returns a function that stops that. */
function forwardSignals(child: ChildProcess): () => void {
  // A terminal gives Ctrl-C to the child as well: it decides, and the triggers must come back after it.
  const ignore = (): void => {};
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", ignore).on("SIGTERM", forward).on("SIGHUP", forward);
  return () => void process.off("SIGINT", ignore).off("SIGTERM", forward).off("SIGHUP", forward);
}

/** Runs a command to its end, on this process' own input and output. Gives its exit code. */
function run([file = "", ...args]: readonly string[], database: string): Promise<number> {
  const env = { ...process.env, ROCKET_DATABASE: isPostgresUrl(database) ? database : resolve(database) };
  const child = spawn(file, args, { stdio: "inherit", env });
  const forget = forwardSignals(child);
  return new Promise((done) => {
    child.once("error", (error) => {
      forget();
      const isMissing = systemErrorCode(error) === "ENOENT";
      const why = isMissing ? "there is no such command" : explain(error);
      processOutput.note(`rocket: Can't run ${JSON.stringify(file)}: ${why}.`);
      done(isMissing ? exitCodes.notFound : exitCodes.notExecutable);
    });
    child.once("exit", (code, signal) => {
      forget();
      done(code ?? exitCodes.signal + (signal ? constants.signals[signal] : 0));
    });
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function describe({ run, known }: RunMigrations): string {
  const before = known === 0 ? "" : ` ${known} had been run before.`;
  if (run.length === 0) return `Nothing to run.${before}\n`;
  return `Ran ${run.join(", ")}.${before}\n`;
}

/** Runs the migrations of a folder. */
async function runFolder(database: string, folder: string): Promise<number> {
  try {
    const done = await migrate(database, folder);
    for (const note of done.notes) processOutput.note(`rocket: ${note}`);
    processOutput.write(describe(done));
    return 0;
  } catch (error) {
    processOutput.note(`rocket: ${explain(error)}`);
    return 1;
  }
}

/**
 * Runs `rocket migrate`: takes Rocket's triggers off a database, runs a command that changes its schema, and puts them
 * back, also where the command failed. PostgreSQL needs none of that: there the command is run, and no more. It finds the
 * database's path or URL in `ROCKET_DATABASE`. In place of a command, a folder of Prisma's or Drizzle's migrations is run by
 * itself.
 *
 * @returns the command's exit code; 1 where the triggers could not be taken off or, after a success, put back
 */
export async function runMigrate({ database, command }: MigrateOptions): Promise<number> {
  const [folder] = command;
  if (folder !== undefined && command.length === 1 && isFolder(folder)) return runFolder(database, folder);
  // PostgreSQL alters a table with its triggers in place.
  if (isPostgresUrl(database)) return run(command, database);
  try {
    const paused = await pauseJournal(database);
    const exitCode = await run(command, database);
    try {
      await paused.resume();
    } catch (error) {
      const message = `The journal could not be put back: ${explain(error)} "rocket serve" puts it back.`;
      throw new CommandFailure(message, 1, { cause: error });
    }
    return exitCode;
  } catch (error) {
    processOutput.note(`rocket: ${explain(error)}`);
    return 1;
  }
}
