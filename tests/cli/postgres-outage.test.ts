import { describe, expect, it } from "vitest";
import { serverOfFile } from "../scaffold/postgres/server.ts";
import { rocket, serve } from "./command.ts";

const server = serverOfFile();

describe("rocket serve, while PostgreSQL is away", () => {
  it("keeps its subscribers, refuses with 503, and goes on by itself, with what was written meanwhile", async () => {
    const database = await server.database();
    const admin = await server.connectWriter(database);
    await admin.query("CREATE TABLE artists (id int PRIMARY KEY, name text)");
    const { url, command } = await serve(server.url(database), "--port", "0");
    const tail = rocket("tail", `${url}/artists`);
    await tail.until(({ stdout }) => stdout.includes("304"));
    await admin.query("INSERT INTO artists VALUES (1, 'Ann')");
    await tail.until(({ stdout }) => stdout.includes("Ann"));

    await server.crash();
    const away = await Promise.all([fetch(`${url}/artists`), fetch(`${url}/artists/1`, { method: "DELETE" })]);
    expect(away.map(({ status, headers }) => [status, headers.has("retry-after")])).toEqual([
      [503, true],
      [503, true],
    ]);
    await server.start();
    const back = await server.connectWriter(database);
    await back.query("INSERT INTO artists VALUES (2, 'Bo')");
    await back.end();
    await tail.until(({ stdout }) => stdout.includes("Bo"));

    // Had it been connected again, it would have been answered again. Where the outage took long, it was told so.
    const messages = tail.stdout.slice(0, tail.stdout.indexOf("Bo")).split("HTTP/1.1 ");
    const bookmarks = messages.filter((text) => text.startsWith("304") && !text.includes("Stale: ?1"));
    expect(bookmarks).toHaveLength(1);
    expect((await fetch(`${url}/artists`)).status).toBe(200);
    expect(command.process.exitCode).toBe(null);
    command.process.kill("SIGTERM");
    expect((await command.result).code).toBe(0);
  });
});
