import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createScaffold } from "../../../src/scaffold/index.ts";
import { serverOfFile } from "./server.ts";
import { serve } from "./service.ts";

const server = serverOfFile();

/** A message of PostgreSQL's protocol that asks the client to say who it is. */
function authentication(kind: number, text: string): Buffer {
  const head = Buffer.alloc(9);
  head.write("R");
  head.writeInt32BE(text.length + 8, 1);
  head.writeInt32BE(kind, 5);
  return Buffer.concat([head, Buffer.from(text)]);
}

it("A database is not served by a schema that it does not have: those that it has are named", async () => {
  const database = await server.database();
  const client = await server.connect(database);
  await client.query("CREATE SCHEMA shop; CREATE TABLE shop.songs (id int PRIMARY KEY)");
  const opening = createScaffold({ path: server.url(database), schemas: ["shop", "nope"] });
  await expect(opening).rejects.toMatchObject({
    code: "database-invalid",
    message: "The PostgreSQL database has no schema nope; it has public, shop.",
  });
});

it("A server that asks for a password which the URL lacks is said to ask for one", async () => {
  const asking = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(authentication(10, "SCRAM-SHA-256\0\0"));
      socket.once("data", () => socket.write(authentication(11, "r=x,s=eA==,i=4096")));
    });
  });
  asking.listen(0, "127.0.0.1");
  onTestFinished(() => void asking.close());
  await once(asking, "listening");
  const path = `postgres://app@127.0.0.1:${(asking.address() as AddressInfo).port}/app`;
  await expect(createScaffold({ path })).rejects.toMatchObject({
    message: expect.stringMatching(/asks for a password/),
  });
});

it("A request for which the server has no connection left is a 503 that says so", async () => {
  const sql = `CREATE ROLE few LOGIN; CREATE TABLE songs (id int PRIMARY KEY); ALTER TABLE songs OWNER TO few;
    DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO few', current_database()); END $$`;
  const { send, client } = await serve(server, sql, { user: "few" });
  expect((await send("GET", "/songs")).status).toBe(200);
  await client.query("ALTER ROLE few CONNECTION LIMIT 0");
  await client.query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'few'");
  let answer = await send("GET", "/songs");
  // A connection that was just ended is none that could not be had.
  if (!answer.text.includes("no more connections")) answer = await send("GET", "/songs");
  expect([answer.status, answer.json]).toMatchObject([
    503,
    { detail: "The database takes no more connections just now." },
  ]);
});
