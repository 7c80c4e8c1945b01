import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { requestBytes } from "./load-writer.js";
import { compareCosts, measureInTurn } from "./pairs.js";
import { Cluster } from "./postgres-cluster.js";
import { RestServer } from "./rest-server.js";
import { SoulServer, whyNoSoul } from "./rest-soul.js";

const roundMs = 150;
/** What each server is asked before anything counts, or for how long: until then Node has not compiled what it runs. */
const [warmRequests, warmMs] = [4_000, 3_000];
const manyClients = 64;
/** A write in a group of 64 has to cost no more than this share of one in a transaction of its own. */
const groupGoal = 1 / 8;

const songs = Array.from({ length: 1_000 }, (_, at) => ({
  ...{ id: at + 1, title: `Song number ${at + 1}`, artist: "An artist with a name of some length", plays: 0 },
}));

/** A new number for each write, so that each changes something. */
let writes = 0;

function json(method, path, body) {
  return requestBytes(method, path, JSON.stringify(body), "");
}

/** A record's number, another one each time. */
function nextId() {
  writes += 1;
  return 1 + (writes % songs.length);
}

const newSong = () => ({ title: "A new song", artist: "An artist with a name of some length", plays: nextId() });

/** What is asked of each server, as most of them have it. */
const usual = {
  record: () => requestBytes("GET", "/songs/7", "", ""),
  list: () => requestBytes("GET", "/songs?limit=20", "", ""),
  post: () => json("POST", "/songs", newSong()),
  patch: () => json("PATCH", `/songs/${nextId()}`, { plays: writes }),
};

const ofJsonServer = { ...usual, list: () => requestBytes("GET", "/songs?_limit=20", "", "") };

const ofSoul = {
  record: () => requestBytes("GET", "/api/tables/songs/rows/7", "", ""),
  list: () => requestBytes("GET", "/api/tables/songs/rows?_limit=20", "", ""),
  post: () => json("POST", "/api/tables/songs/rows", { fields: newSong() }),
  patch: () => json("PUT", `/api/tables/songs/rows/${nextId()}`, { fields: { plays: writes } }),
};

const titles = {
  record: "GET of a record",
  list: "GET of 20 rows",
  patch: "PATCH of a record",
  post: "POST of a record",
};

function clientsText(count) {
  return count === 1 ? "1 client" : `${count} clients`;
}

/** A new SQLite file with the songs. */
function makeFile(folder, name) {
  const path = join(folder, `${name}.db`);
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.exec(
    `CREATE TABLE songs (id INTEGER PRIMARY KEY, title TEXT NOT NULL, artist TEXT NOT NULL, plays INTEGER NOT NULL)`,
  );
  const insert = database.prepare("INSERT INTO songs VALUES (:id, :title, :artist, :plays)");
  database.transaction(() => {
    for (const song of songs) insert.run(song);
  })();
  database.close();
  return path;
}

function makeJsonFile(folder) {
  const path = join(folder, "json-server.json");
  writeFileSync(path, JSON.stringify({ songs }));
  return path;
}

/** Costs of the same requests at several servers, in the same rounds. */
class Comparison {
  #options;
  #rows;

  constructor(options, rows) {
    this.#options = options;
    this.#rows = rows;
  }

  /** @param subjects - each with its `server`, `requests` and `name`; the first is compared with the others, the last twice */
  async compare(subjects, request, clients) {
    if (clients === 1) {
      for (const { server, requests } of new Set(subjects)) {
        await server.perRequest(manyClients, requests[request], warmMs, warmRequests);
        // What is done for one request alone is other code than for some that come at once.
        await server.perRequest(1, requests[request], warmMs, warmRequests);
      }
    }
    const measures = subjects.map(({ server, requests }) => () => {
      return server.perRequest(clients, requests[request], roundMs);
    });
    return measureInTurn({ subjects: measures, pairs: this.#options.pairs });
  }

  /** Rows for Rocket beside each of some others, and for the control, which is the first of them once more. */
  async addAll(rocket, others, request, clients, title = titles[request]) {
    const [control] = others;
    const costs = await this.compare([rocket, ...others, control], request, clients);
    const micros = costs.map((all) => all.map((cost) => cost.micros));
    const cpu = costs.map((all) => all.map(({ cpuMicros }) => cpuMicros));
    const what = `${title}, ${clientsText(clients)}`;
    const last = costs.length - 1;
    this.add(compareCosts(`control, ${what}: ${control.name}, twice`, micros[1], micros[last]), "µs each");
    for (const [at, { name, goal = 1 }] of others.entries()) {
      this.add({ ...compareCosts(`${what}: Rocket / ${name}`, micros[0], micros[at + 1]), goal }, "µs each");
    }
    this.add(compareCosts(`${what}, CPU: Rocket / ${control.name}`, cpu[0], cpu[1]), "µs CPU each");
  }

  add(row, unit) {
    this.#rows.push({ ...row, unit });
    this.#options.progress(this.#rows.at(-1));
  }
}

/** Writes of many clients in groups, beside one transaction for each. */
async function addGroupRow(comparison, [grouped, oneByOne], database) {
  const costs = await comparison.compare([grouped, oneByOne], "patch", manyClients);
  const [one, other] = costs.map((all) => all.map(({ micros }) => micros));
  const name = `${titles.patch}, ${clientsText(manyClients)}, ${database}: in groups / a transaction each`;
  comparison.add({ ...compareCosts(name, one, other), goal: groupGoal }, "µs each");
}

async function sqliteRows(comparison, progress) {
  const folder = mkdtempSync(join(tmpdir(), "rocket-bench-"));
  const start = async (kind, requests, name) => {
    const path = kind === "json-server" ? makeJsonFile(folder) : makeFile(folder, kind);
    const server = kind === "soul-cli" ? new SoulServer(path) : new RestServer(kind, path);
    return { server: await server.start(), requests, name };
  };
  const rocket = await start("rocket", usual);
  const oneByOne = await start("rocket-one-by-one", usual);
  const express = await start("express-sqlite", usual, "Express + better-sqlite3");
  const compressing = await start("express-compressing", usual, "Express + compression");
  const others = [express, await start("json-server", ofJsonServer, "json-server")];
  const noSoul = whyNoSoul();
  if (noSoul === undefined) others.push(await start("soul-cli", ofSoul, "soul-cli"));
  else progress(`soul-cli is left out: ${noSoul}`);
  progress(`${others.length + 3} servers, each over 1,000 songs in a file of its own`);
  for (const request of Object.keys(titles)) {
    for (const clients of [1, manyClients]) await comparison.addAll(rocket, others, request, clients);
  }
  const gzip = (subject) => ({
    ...subject,
    requests: { list: () => requestBytes("GET", "/songs?limit=20", "", "gzip") },
  });
  await comparison.addAll(gzip(rocket), [gzip(compressing)], "list", manyClients, "GET of 20 rows, gzip");
  await addGroupRow(comparison, [rocket, oneByOne], "SQLite");
  for (const { server } of [rocket, oneByOne, compressing, ...others]) await server.stop();
  rmSync(folder, { recursive: true });
}

async function postgresRows(comparison, progress) {
  const cluster = await new Cluster().start();
  const start = async (kind, name) => {
    const server = await new RestServer(kind, await cluster.makeDatabase()).start();
    return { server, requests: usual, name };
  };
  const rocket = await start("rocket");
  const oneByOne = await start("rocket-one-by-one");
  const express = await start("express-pg", "Express + pg");
  progress("3 servers, each over 1,000 songs in a PostgreSQL database of its own");
  for (const request of Object.keys(titles)) {
    for (const clients of [1, manyClients]) await comparison.addAll(rocket, [express], request, clients);
  }
  await addGroupRow(comparison, [rocket, oneByOne], "PostgreSQL");
  for (const { server } of [rocket, oneByOne, express]) await server.stop();
  await cluster.stop();
}

/** REST reads and writes of 1 and 64 clients, beside others that serve the same. */
export async function run({ pairs = 15, progress }) {
  const rows = [];
  const comparison = new Comparison({ pairs, progress }, rows);
  await sqliteRows(comparison, progress);
  await postgresRows(comparison, progress);
  return rows;
}
