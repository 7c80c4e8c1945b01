import { describe, expect, it } from "vitest";
import { serverOfFile } from "../scaffold/postgres/server.ts";
import { rocket, serve } from "./command.ts";

const server = serverOfFile();

describe("rocket sql", () => {
  it("prints what an administrator runs, after which a role that owns nothing serves, writes and is live", async () => {
    const database = await server.database();
    const admin = await server.connect(database);
    await admin.query(`CREATE TABLE artists (id int PRIMARY KEY, name text); CREATE ROLE guest LOGIN;
      GRANT SELECT, INSERT, UPDATE ON artists TO guest`);
    const url = server.url(database, "guest");
    const { code, stdout } = await rocket("sql", url).result;
    expect(code).toBe(0);
    await admin.query(stdout);
    const served = await serve(url, "--port", "0");
    const posted = await fetch(`${served.url}/artists`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Idempotency-Key": '"once"' },
      body: JSON.stringify({ id: 1, name: "Ann" }),
    });
    expect(posted.status).toBe(201);
    const first = await fetch(`${served.url}/artists`);
    expect(await first.text()).toContain('"name":"Ann"');
    const tail = rocket("tail", `${served.url}/artists`);
    await tail.until(({ stdout: text }) => text.includes("Ann"));
    await admin.query("INSERT INTO artists VALUES (2, 'Bo')");
    await tail.until(({ stdout: text }) => text.includes("Bo"));
  });

  it("says for what it is where it is given a file", async () => {
    const { code, stderr } = await rocket("sql", "music.db").result;
    expect(code).toBe(2);
    expect(stderr).toContain("postgres://user@host/database");
  });

  it("says why where there is no such server", async () => {
    const { code, stderr } = await rocket("sql", "postgres://nobody@%2Fno%2Ffolder/x").result;
    expect(code).toBe(1);
    expect(stderr).toContain("The SQL can't be made");
  });
});
