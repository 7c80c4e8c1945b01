import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { comparePairs, median } from "./pairs.js";

const rowCount = 1_000_000;
const roundMs = 700;

/** A database with a million rows, of which nothing but the key has an index; and a table of twenty. */
function makeDatabase(path) {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  const rows = (count) => `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ${count})
    SELECT i, 'name ' || hex(randomblob(6)), abs(random()) % 1000000, 'Some text, as records have it, of row ' || i FROM c`;
  for (const [table, count] of [
    ["t", rowCount],
    ["few", 20],
  ]) {
    database.exec(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, text TEXT);
      INSERT INTO ${table} ${rows(count)}`);
  }
  database.close();
}

/** A server's process over the database. */
class Server {
  #process;
  #agent = new Agent({ keepAlive: true, maxSockets: 8 });

  constructor(path, threads, mainReadMs) {
    const file = fileURLToPath(new URL("reads-child.js", import.meta.url));
    this.#process = fork(file, [path, threads, mainReadMs]);
  }

  async start() {
    const [{ port }] = await once(this.#process, "message");
    this.port = port;
    return this;
  }

  /** Milliseconds that a GET took. */
  get(path) {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      get({ port: this.port, host: "127.0.0.1", path, agent: this.#agent }, (response) => {
        response.resume();
        response.on("end", () => {
          if (response.statusCode === 200) resolve(performance.now() - started);
          else reject(new Error(`GET ${path}: ${response.statusCode}`));
        });
      }).on("error", reject);
    });
  }

  stop() {
    this.#agent.destroy();
    this.#process.disconnect();
  }
}

/** The times of GETs of a path, one after another, for a while. */
async function times(server, path) {
  const found = [];
  for (const end = performance.now() + roundMs; performance.now() < end; ) found.push(await server.get(path));
  return found.sort((one, other) => one - other);
}

const p99 = async (server, path) => {
  const found = await times(server, path);
  return found[Math.min(found.length - 1, Math.floor(found.length * 0.99))];
};
const micros = async (server, path) => median(await times(server, path)) * 1000;

/** What `measure` gives while two clients ask for slow lists, each again and again. */
async function besideSlow(server, measure) {
  let isOver = false;
  const ask = async (path) => {
    while (!isOver) await server.get(path);
  };
  const slow = [ask("/t?order=name&limit=20"), ask("/t?order=text.desc&limit=20")];
  try {
    return await measure();
  } finally {
    isOver = true;
    await Promise.all(slow);
  }
}

/** Reads of single records beside slow lists, and what threads cost small lists. */
export async function run({ pairs = 15, progress }) {
  const folder = mkdtempSync(join(tmpdir(), "rocket-bench-"));
  const path = join(folder, "bench.db");
  makeDatabase(path);
  const [usual, without, always] = await Promise.all(
    [
      [2, 2],
      [0, 2],
      [2, 0],
    ].map(([threads, mainReadMs]) => new Server(path, threads, mainReadMs).start()),
  );
  progress("servers over a million rows: with threads, without, and with all reads in threads");
  const rows = [];
  const add = async (row, unit) => {
    rows.push({ ...(await comparePairs({ pairs, ...row })), goal: row.goal, unit });
    progress(rows.at(-1));
  };
  const alone = () => p99(usual, "/t/1");
  const beside = (server) => () => besideSlow(server, () => p99(server, "/t/1"));
  const [one, few] = ["p99 of GET /t/1", "GET of 20 rows"];
  await add({ name: `control: ${one}, alone, twice`, a: alone, b: alone }, "ms");
  await add({ name: `${one}: beside slow lists / alone`, a: beside(usual), b: alone, goal: 2 }, "ms");
  const aloneWithout = () => p99(without, "/t/1");
  await add({ name: `${one}, no threads: beside slow lists / alone`, a: beside(without), b: aloneWithout }, "ms");
  const list = (server) => () => micros(server, "/few");
  await add({ name: `control: ${few}, no threads, twice`, a: list(without), b: list(without) }, "µs each");
  await add({ name: `${few}: with threads / without`, a: list(usual), b: list(without) }, "µs each");
  await add({ name: `${few}: each in a thread / without`, a: list(always), b: list(without) }, "µs each");
  const slow = (server) => () => server.get("/t?order=name&limit=20");
  await add({ name: "a slow list: with threads / without", a: slow(usual), b: slow(without) }, "ms");
  for (const server of [usual, without, always]) server.stop();
  rmSync(folder, { recursive: true });
  return rows;
}
