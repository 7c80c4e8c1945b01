import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { loadPg, openPool } from "../../../src/scaffold/postgres/index.ts";
import { serverOfFile } from "./server.ts";
import { connectPool, newSite } from "./workspace.ts";

const server = serverOfFile();

/** A message of PostgreSQL's protocol. */
function message(type: string, ...content: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(content.map((part) => (typeof part === "string" ? Buffer.from(part) : int32(part))));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** A server that lets everyone in, and ends each connection in the same breath. Gives its URL. */
async function startDying(): Promise<string> {
  const dying = createServer((socket) => {
    socket.on("error", () => undefined);
    const fatal = message("E", "SFATAL\0C57P01\0Mterminating connection\0\0");
    socket.once("data", () => socket.end(Buffer.concat([message("R", 0), message("Z", "I"), fatal])));
  });
  dying.listen(0, "127.0.0.1");
  onTestFinished(() => void dying.close());
  await once(dying, "listening");
  return `postgres://app@127.0.0.1:${(dying.address() as AddressInfo).port}/app`;
}

describe("the driver", () => {
  it("says what to type where the package pg is missing", async () => {
    const missing = loadPg(() => Promise.reject(new Error("Cannot find package 'pg'")));
    await expect(missing).rejects.toMatchObject({
      code: "driver-missing",
      message: expect.stringContaining("npm i pg"),
    });
  });

  it("refuses a pool of no connections", async () => {
    await expect(openPool({ connect: "postgres://x", max: 0, onError: () => undefined })).rejects.toThrow(
      /max .* not 0/,
    );
  });

  it("gives values as PostgreSQL wrote them", async () => {
    const pool = await connectPool(await newSite(server));
    const rows = await pool.query("SELECT 9007199254740993, 1.50, true, '2026-03-01'::date, NULL, $1::int", [7]);
    expect(rows).toEqual([["9007199254740993", "1.50", "t", "2026-03-01", null, "7"]]);
    expect(await pool.script("SELECT 1; SELECT 2, 3; SET LOCAL work_mem = '4MB'")).toEqual([["2", "3"]]);
  });

  it("keeps no transaction that failed, in whichever way it was begun", async () => {
    const pool = await connectPool(await newSite(server, "CREATE TABLE t (id int)"), { max: 1 });
    await expect(pool.script("BEGIN; INSERT INTO t VALUES (1); SELECT 1/0; COMMIT")).rejects.toThrow(/division/);
    const failing = pool.transaction("BEGIN", async (session) => {
      await session.query("INSERT INTO t VALUES (2)");
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await pool.query("SELECT * FROM t")).toEqual([]);
  });

  it("survives that a connection is ended while a transaction does something else", async () => {
    const site = await newSite(server);
    const pool = await connectPool(site, { max: 1 });
    const broken = pool.transaction("BEGIN", async (session) => {
      const [row] = await session.query("SELECT pg_backend_pid()");
      await site.client.query("SELECT pg_terminate_backend($1, 10000)", [row?.[0]]);
    });
    await expect(broken).rejects.toThrow();
    expect(await pool.query("SELECT 2")).toEqual([["2"]]);
  });

  it("survives that a connection is ended in the moment in which it is made", async () => {
    const pool = await openPool({ connect: await startDying(), onError: () => undefined });
    await expect(pool.script("SELECT 1")).rejects.toThrow();
    await expect(pool.transaction("BEGIN", () => Promise.resolve())).rejects.toThrow();
    await expect(
      pool.listen(
        "rocket",
        () => undefined,
        () => undefined,
      ),
    ).rejects.toThrow();
    await pool.close();
  });

  it("refuses a URL of several hosts, which pg would take for one name", async () => {
    const open = (connect: string) => openPool({ connect, onError: () => undefined });
    for (const url of ["postgres://a,b/db?target_session_attrs=read-write", "postgres://u:p@a:1,b:2/db"]) {
      await expect(open(url)).rejects.toMatchObject({
        code: "database-invalid",
        message: expect.stringMatching(/several hosts/),
      });
    }
    for (const url of ["postgres://u:a,b@a/db?x=1,2", "postgres:///a,b"]) await (await open(url)).close();
  });

  it("gives up a connection whose server does not answer any more", async () => {
    const site = await newSite(server);
    const pool = await openPool({
      connect: server.url(site.database),
      max: 1,
      answerMs: 300,
      onError: () => undefined,
    });
    onTestFinished(() => pool.close());
    const statements: Record<string, () => Promise<unknown>> = {
      query: () => pool.query("SELECT pg_sleep(60)"),
      script: () => pool.script("SELECT pg_sleep(60)"),
      transaction: () => pool.transaction("BEGIN", (session) => session.query("SELECT pg_sleep(60)")),
    };
    for (const run of Object.values(statements)) {
      const [former] = await pool.query("SELECT pg_backend_pid()");
      await expect(run()).rejects.toThrow("Query read timeout");
      expect(await pool.query("SELECT pg_backend_pid()")).not.toEqual([former]);
    }
  });

  it("breaks its connections where they lead to a server that is none any more", async () => {
    const site = await newSite(server);
    const errors: unknown[] = [];
    const pool = await openPool({ connect: server.url(site.database), onError: (error) => errors.push(error) });
    onTestFinished(() => pool.close());
    const [[former] = []] = await pool.query("SELECT pg_backend_pid()");
    const busy = pool.transaction("BEGIN", async (session) => {
      pool.renew();
      await session.query("SELECT pg_sleep(60)");
    });
    await expect(busy).rejects.toThrow(/Connection terminated/);
    const [[now] = []] = await pool.query("SELECT pg_backend_pid()");
    expect(now).not.toBe(former);
    expect(errors).toEqual([]);
  });

  it("keeps no connection to a server that takes no writes", async () => {
    const pool = await connectPool(await newSite(server), { max: 1 });
    const [former] = await pool.query("SELECT pg_backend_pid()");
    await expect(pool.script("BEGIN READ ONLY; CREATE TABLE t ()")).rejects.toMatchObject({ code: "25006" });
    expect(await pool.query("SELECT pg_backend_pid()")).not.toEqual([former]);
  });

  it("goes on after its connections were ended, and tells of it", async () => {
    const site = await newSite(server);
    const errors: unknown[] = [];
    const pool = await openPool({ connect: server.url(site.database), onError: (error) => errors.push(error) });
    const [row] = await pool.query("SELECT pg_backend_pid()");
    await site.client.query("SELECT pg_terminate_backend($1, 10000)", [row?.[0]]);
    await pool.query("SELECT 1").catch(() => undefined);
    expect(await pool.query("SELECT 2")).toEqual([["2"]]);
    await pool.close();
    await pool.close();
  });
});
