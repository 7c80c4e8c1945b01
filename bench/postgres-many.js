import pg from "pg";
import { resumeRows } from "./postgres-resumes.js";
import { PostgresServer } from "./postgres-server.js";

/** Of each process. */
const followers = 1_000;
const changes = 50;
const tailed = 500;

/** Processes over one database, with followers that count. */
class Processes {
  #servers = [];
  #url;
  #client;
  #left = 0;
  #resolve;

  constructor(url) {
    this.#url = url;
  }

  /** @param share - how many followers all of them have together */
  async start(count, share) {
    this.#client = new pg.Client({ connectionString: this.#url });
    await this.#client.connect();
    for (let nth = 0; nth < count; nth += 1) {
      const server = await new PostgresServer("rocket", this.#url).start();
      await server.follow("/songs/1", share / count, (text) => {
        if (text.startsWith("HTTP/1.1 202")) this.#count();
      });
      this.#servers.push(server);
    }
    return this;
  }

  /** Milliseconds until every follower has so many changes, written by SQL in transactions of their own. */
  async deliver(followers, count) {
    const started = performance.now();
    this.#left = followers * count;
    const all = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (let nth = 0; nth < count; nth += 1) {
      await this.#client.query("UPDATE songs SET plays = plays + 1 WHERE id = 1");
    }
    await all;
    return performance.now() - started;
  }

  async stop() {
    await this.#client.end();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  #count() {
    this.#left -= 1;
    if (this.#left === 0) this.#resolve();
  }
}

/** What more processes give and cost. */
export async function manyRows({ cluster, add, progress, rows }) {
  const start = async (count, share) => new Processes(await cluster.makeDatabase()).start(count, share);
  const [one, two, four] = [await start(1, followers), await start(2, 2 * followers), await start(4, 4 * followers)];
  progress(`1, 2 and 4 processes with ${followers} followers each`);
  const took = (processes, count) => async () =>
    (1_000 * (await processes.deliver(count * followers, changes))) / (count * followers * changes);
  const what = `a delivery, ${followers.toLocaleString("en")} followers of each process`;
  await add({ name: `control, ${what}: 1 process, twice`, a: took(one, 1), b: took(one, 1) }, "µs each");
  await add({ name: `${what}: 2 processes / 1`, a: took(two, 2), b: took(one, 1) }, "µs each");
  await add({ name: `${what}: 4 processes / 1`, a: took(four, 4), b: took(one, 1) }, "µs each");
  for (const processes of [one, two, four]) await processes.stop();
  const [lone, eight] = [await start(1, 1), await start(8, 8)];
  progress("1 and 8 processes with a follower each");
  const cpu = (processes, count) => async () => {
    const before = cluster.cpuMicros();
    await processes.deliver(count, tailed);
    return (cluster.cpuMicros() - before) / tailed;
  };
  const unit = "ms CPU of PostgreSQL per 1,000 changes";
  await add({ name: "control, CPU of PostgreSQL: 1 process, twice", a: cpu(lone, 1), b: cpu(lone, 1) }, unit);
  await add({ name: "CPU of PostgreSQL: 8 processes / 1", a: cpu(eight, 8), b: cpu(lone, 1) }, unit);
  for (const processes of [lone, eight]) await processes.stop();
  rows.push(...(await resumeRows(cluster, progress)));
}
