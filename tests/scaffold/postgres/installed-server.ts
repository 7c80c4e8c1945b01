import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";

/** What runs a server: the embedded one, or one of the machine's. */
export interface ServerProcess {
  initialise(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** How a server is run. */
export interface ServerProcessOptions {
  readonly databaseDir: string;
  readonly settings: readonly string[];
  readonly onLog: (message: unknown) => void;
}

/** The user that runs it: PostgreSQL refuses to run as root. */
function owner(): { readonly uid?: number; readonly gid?: number } {
  if (userInfo().uid !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  return { uid: uid as number, gid: gid as number };
}

/** A PostgreSQL that is installed: its programs are in `folder`. */
export class InstalledServer implements ServerProcess {
  readonly #folder: string;
  readonly #options: ServerProcessOptions;
  #process: ChildProcess | undefined;

  constructor(folder: string, options: ServerProcessOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async initialise(): Promise<void> {
    const { databaseDir } = this.#options;
    const { uid, gid } = owner();
    mkdirSync(databaseDir, { recursive: true });
    if (uid !== undefined && gid !== undefined) chownSync(databaseDir, uid, gid);
    const options = ["-D", databaseDir, "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8"];
    execFileSync(join(this.#folder, "initdb"), options, { ...owner(), stdio: "ignore", cwd: "/" });
  }

  start(): Promise<void> {
    const { databaseDir, settings, onLog } = this.#options;
    const flags = settings.flatMap((setting) => ["-c", setting]);
    const child = spawn(join(this.#folder, "postgres"), ["-D", databaseDir, "-p", "5432", ...flags], {
      ...owner(),
      cwd: "/",
    });
    this.#process = child;
    return new Promise((resolve, reject) => {
      child.stderr.on("data", (data: Buffer) => {
        onLog(data);
        if (data.includes("ready to accept connections")) resolve();
      });
      child.on("close", reject);
    });
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGINT");
    await ended;
  }
}
