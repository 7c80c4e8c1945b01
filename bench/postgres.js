import pg from "pg";
import { comparePairs } from "./pairs.js";
import { Cluster } from "./postgres-cluster.js";
import { latencyRows } from "./postgres-latency.js";
import { manyRows } from "./postgres-many.js";
import { PostgresServer } from "./postgres-server.js";

const writers = 4;
const bulkRows = 5_000;

/** Milliseconds for so many one-row updates by four clients, each its own transaction. */
async function updates(clients, count) {
  const started = performance.now();
  let next = 0;
  const loops = clients.map(async (client, place) => {
    for (; next < count; next += 1) {
      // No two write the same row.
      const id = 1 + ((next * writers + place) % 1000);
      await client.query("UPDATE songs SET plays = plays + 1 WHERE id = $1", [id]);
    }
  });
  await Promise.all(loops);
  return (performance.now() - started) / count;
}

async function bulk([client]) {
  const started = performance.now();
  await client.query(
    `INSERT INTO songs SELECT g, 'Bulk', 'Nobody', 0 FROM generate_series(5001, ${5000 + bulkRows}) g`,
  );
  const took = performance.now() - started;
  await client.query("DELETE FROM songs WHERE id > 5000");
  return took;
}

function connectAll(url) {
  return Promise.all(
    Array.from({ length: writers }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
}

/** What triggers cost those who write with SQL: a database that is served, beside one that is not. */
async function triggerRows({ cluster, add, served }) {
  const plain = await cluster.makeDatabase();
  const [watched, unwatched] = [await connectAll(served), await connectAll(plain)];
  const each = (clients) => () => updates(clients, 400);
  await add(
    { name: "control, an UPDATE by SQL: no triggers, twice", a: each(unwatched), b: each(unwatched) },
    "ms each",
  );
  await add(
    { name: "an UPDATE by SQL: with Rocket's triggers / without", a: each(watched), b: each(unwatched) },
    "ms each",
  );
  const all = (clients) => () => bulk(clients);
  const name = `an INSERT of ${bulkRows.toLocaleString("en")} rows: with Rocket's triggers / without`;
  await add({ name, a: all(watched), b: all(unwatched) }, "ms");
  for (const client of [...watched, ...unwatched]) await client.end();
}

/** PostgreSQL as an engine: beside an app with Express and pg, and beside a database without triggers. */
export async function run({ pairs = 15, progress }) {
  const cluster = await new Cluster().start();
  const rows = [];
  const add = async (row, unit) => {
    rows.push({ ...(await comparePairs({ pairs, ...row })), goal: row.goal, unit });
    progress(rows.at(-1));
  };
  const [served, plain] = [await cluster.makeDatabase(), await cluster.makeDatabase()];
  const [rocket, app] = [
    await new PostgresServer("rocket", served).start(),
    await new PostgresServer("express-pg", plain).start(),
  ];
  progress("a server and an app, each over a database of 1,000 songs");
  await latencyRows({ add, rocket, app });
  await triggerRows({ cluster, add, served });
  await Promise.all([rocket.stop(), app.stop()]);
  await manyRows({ cluster, add, progress, rows });
  await cluster.stop();
  return rows;
}
