// What one would write by hand: a statement for each route, and nothing that is not needed.
import { once } from "node:events";
import Database from "better-sqlite3";
import compression from "compression";
import express from "express";
import pg from "pg";

/** The routes, over what each of them asks of the database. */
async function startApp({ list, find, create, change, close, middleware = [] }) {
  const app = express();
  for (const one of middleware) app.use(one);
  app.use(express.json());
  app.get("/songs", async (request, response) => {
    response.json({ songs: await list(Number(request.query.limit ?? 1000)) });
  });
  app.get("/songs/:id", async (request, response) => {
    const song = await find(request.params.id);
    if (song) response.json({ song });
    else response.sendStatus(404);
  });
  app.post("/songs", async (request, response) => {
    const { title, artist, plays } = request.body;
    if (typeof title !== "string" || typeof artist !== "string") return response.sendStatus(422);
    const song = await create(title, artist, plays ?? 0);
    return response.status(201).location(`/songs/${song.id}`).json({ song });
  });
  app.patch("/songs/:id", async (request, response) => {
    const { title = null, artist = null, plays = null } = request.body;
    const song = await change(title, artist, plays, request.params.id);
    if (song) response.json({ song });
    else response.sendStatus(404);
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: server.address().port,
    async stop() {
      server.close();
      await close();
    },
  };
}

const changes = (first, second, third) =>
  `title = coalesce(${first}, title), artist = coalesce(${second}, artist), plays = coalesce(${third}, plays)`;

/** Express 5 and better-sqlite3, with commits that are as durable as Rocket's. */
export function startExpressSqlite(path, middleware = []) {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  const list = database.prepare("SELECT * FROM songs ORDER BY id LIMIT ?");
  const find = database.prepare("SELECT * FROM songs WHERE id = ?");
  const create = database.prepare("INSERT INTO songs (title, artist, plays) VALUES (?, ?, ?) RETURNING *");
  const change = database.prepare(`UPDATE songs SET ${changes("?", "?", "?")} WHERE id = ? RETURNING *`);
  return startApp({
    list: (limit) => list.all(limit),
    find: (id) => find.get(id),
    create: (...values) => create.get(...values),
    change: (...values) => change.get(...values),
    close: () => database.close(),
    middleware,
  });
}

/** The same app with the middleware that compresses. */
export function startExpressCompressing(path) {
  return startExpressSqlite(path, [compression()]);
}

/** Express 5 and a pool of pg. */
export function startExpressPg(connectionString) {
  const pool = new pg.Pool({ connectionString, max: 8 });
  const rows = async (text, values) => (await pool.query(text, values)).rows;
  const one = async (text, values) => (await rows(text, values))[0];
  return startApp({
    list: (limit) => rows("SELECT * FROM songs ORDER BY id LIMIT $1", [limit]),
    find: (id) => one("SELECT * FROM songs WHERE id = $1", [id]),
    create: (...values) => one("INSERT INTO songs (title, artist, plays) VALUES ($1, $2, $3) RETURNING *", values),
    change: (...values) =>
      one(`UPDATE songs SET ${changes("$1::text", "$2::text", "$3::int")} WHERE id = $4 RETURNING *`, values),
    close: () => pool.end(),
  });
}
