import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { rocket, serve } from "./command.ts";
import { createDatabase, temporaryFolder } from "./database.ts";

/** Another program's connection, closed with the test. */
function open(path: string): Database.Database {
  const database = new Database(path, { timeout: 10_000 });
  onTestFinished(() => void database.close());
  return database;
}

/** A database in rollback-journal mode, where a writer locks readers out as well. */
function createLockable(): string {
  const path = join(temporaryFolder(), "lockable.db");
  open(path).exec("CREATE TABLE birds (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO birds (name) VALUES ('wren')");
  return path;
}

function objectsIn(path: string): string[] {
  return open(path).prepare("SELECT name FROM sqlite_master ORDER BY name").pluck().all().map(String);
}

const waiting = /^rocket: ".*\.db" is locked by another program: waiting for it, for up to 5 seconds\.\n/;

describe("rocket serve --functions", () => {
  it("has the functions that a module exports", async () => {
    const path = createLockable();
    open(path).exec(
      "CREATE TRIGGER t AFTER INSERT ON birds BEGIN UPDATE birds SET name = loud(name) WHERE id = NEW.id; END",
    );
    const module = join(temporaryFolder(), "sql.mjs");
    writeFileSync(module, "export const loud = (text) => text.toUpperCase() + '!'; export const other = 1;");
    const { url } = await serve(path, "--port", "0", "--functions", module);
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${url}/birds`, { method: "POST", headers, body: '{"name":"kea"}' });
    expect([answer.status, await answer.json()]).toMatchObject([201, { bird: { name: "KEA!" } }]);
  });

  it("says that there is no such module", async () => {
    const { code, stderr } = await rocket("serve", createLockable(), "--functions", "/nowhere/sql.mjs").result;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^rocket: --functions: "\/nowhere\/sql\.mjs" can't be loaded: .*\n$/),
    });
  });
});

describe("The start of rocket serve", () => {
  it("waits for a lock of another program, says so, and then serves", async () => {
    const path = createLockable();
    const other = open(path);
    other.exec("BEGIN EXCLUSIVE");
    const command = rocket("serve", path, "--port", "0");
    await command.until(({ stderr }) => waiting.test(stderr));
    expect(command.stdout).toBe("");
    other.exec("COMMIT");
    await command.until(({ stdout }) => stdout.includes("/birds  1"));
  });

  it.each([
    ["serves nothing", ["--port", "0"]],
    ["detaches nothing", ["--detach"]],
  ])(
    "%s where a lock stays: exit code 1, and a sentence",
    async (_what, args) => {
      const path = createLockable();
      open(path).exec("BEGIN EXCLUSIVE");
      const { code, stdout, stderr } = await rocket("serve", path, ...args).result;
      expect({ code, stdout, stderr: stderr.replace(waiting, "") }).toEqual({
        code: 1,
        stdout: "",
        stderr: `rocket: ${JSON.stringify(path)} stayed locked by another program for 5 seconds: end its transaction, and try again.\n`,
      });
    },
    30_000,
  );

  it.each([
    ["a table that is not there", ["--tables", "birds,fish"]],
    ["a host name that can't be", ["--host", "256.0.0.1", "--read-only"]],
    ["a port that is taken", []],
  ])("leaves nothing in the database when it fails over %s", async (_what, args) => {
    const path = createLockable();
    const before = objectsIn(path);
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void blocker.close());
    const { port } = blocker.address() as AddressInfo;
    expect((await rocket("serve", path, "--port", `${port}`, ...args).result).code).toBe(1);
    expect(objectsIn(path)).toEqual(before);
  });

  it("that fails leaves the journal of a server that runs on the same database", async () => {
    const path = createDatabase();
    const { url } = await serve(path, "--port", "0");
    const before = objectsIn(path);
    expect((await rocket("serve", path, "--port", new URL(url).port).result).code).toBe(1);
    expect(objectsIn(path)).toEqual(before);
    expect((await fetch(`${url}/artists`)).status).toBe(200);
  });
});
