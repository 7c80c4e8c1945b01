import express from "express";
import pg from "pg";
import { createServer } from "../dist/node/index.js";
import { createScaffold } from "../dist/scaffold/index.js";

const [kind, path] = process.argv.slice(2);

/** What one would write by hand: a pool, and a statement for each route. */
async function startExpress() {
  const pool = new pg.Pool({ connectionString: path, max: 8 });
  const app = express();
  app.use(express.json());
  app.get("/songs/:id", async (request, response) => {
    const { rows } = await pool.query("SELECT * FROM songs WHERE id = $1", [request.params.id]);
    if (rows[0]) response.json({ song: rows[0] });
    else response.sendStatus(404);
  });
  app.get("/songs", async (request, response) => {
    const { rows } = await pool.query("SELECT * FROM songs ORDER BY id LIMIT $1", [
      Number(request.query.limit ?? 1000),
    ]);
    response.json({ songs: rows });
  });
  app.patch("/songs/:id", async (request, response) => {
    const sql = "UPDATE songs SET plays = $2 WHERE id = $1 RETURNING *";
    const { rows } = await pool.query(sql, [request.params.id, request.body.plays]);
    if (rows[0]) response.json({ song: rows[0] });
    else response.sendStatus(404);
  });
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return {
    port: server.address().port,
    async stop() {
      server.close();
      await pool.end();
    },
  };
}

async function startRocket() {
  const scaffold = await createScaffold({ path });
  const server = createServer({ ...scaffold });
  const { port } = await server.listen({ port: 0 });
  return {
    port,
    async stop() {
      await server.close();
      await scaffold.close();
    },
  };
}

const { port, stop } = await (kind === "express" ? startExpress() : startRocket());
process.send({ port });
process.on("disconnect", async () => {
  await stop();
  process.exit();
});
