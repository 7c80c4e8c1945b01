import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { type Command, rocket, serve } from "./command.ts";
import { createDatabase, runSql, temporaryFolder } from "./database.ts";

const sqlScript = `
  const database = new (require("better-sqlite3"))(process.env.ROCKET_DATABASE, { timeout: 10000 });
  database.exec(process.argv[1]);
  database.close();`;
// Ends when it is left behind.
const wait = `
  const parent = process.ppid;
  setInterval(() => { if (process.ppid !== parent) process.exit(); }, 20);
  console.log("running");`;

/** Runs SQL on a database under `rocket migrate`. */
function migrate(path: string, sql: string): Command {
  return rocket("migrate", path, "--", process.execPath, "-e", sqlScript, sql);
}

/** Begins a migration that goes on until it is killed. */
async function startMigration(path: string): Promise<Command> {
  const command = rocket("migrate", path, "--", process.execPath, "-e", wait);
  await command.until(({ stdout }) => stdout.includes("running"));
  return command;
}

function query(path: string, sql: string): unknown[] {
  const database = new Database(path, { readonly: true });
  const values = database.prepare(sql).pluck().all();
  database.close();
  return values;
}

const triggersIn = (path: string): number =>
  query(path, "SELECT name FROM sqlite_schema WHERE type = 'trigger'").length;

/** A database that a server has been on. */
async function createArmed(): Promise<string> {
  const path = createDatabase();
  const { command } = await serve(path, "--port", "0");
  command.process.kill("SIGTERM");
  await command.result;
  return path;
}

async function tail(url: string): Promise<Command> {
  const command = rocket("tail", `${url}/artists`);
  await command.until(({ stdout }) => stdout.includes("HTTP/1.1 304"));
  return command;
}

function snapshotsIn({ stdout }: Command): string[] {
  return stdout.split(/(?=^HTTP\/1\.1 )/m).filter((message) => message.startsWith("HTTP/1.1 200"));
}

describe("rocket migrate", () => {
  it("drops a column, which fails without it and names it", async () => {
    const path = await createArmed();
    const sql = "ALTER TABLE artists DROP COLUMN genre";
    expect(() => runSql(path, sql)).toThrow(/rocket migrate/);
    expect(await migrate(path, sql).result).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    expect(query(path, "SELECT name FROM pragma_table_info('artists')")).toEqual(["id", "name"]);
    expect(triggersIn(path)).toBeGreaterThan(0);
    expect(query(path, "SELECT name FROM sqlite_schema WHERE name = '_rocket_migration'")).toEqual([]);
  });

  it("runs under a server, whose subscribers get a fresh 200 and then changes again", async () => {
    const path = createDatabase();
    const { command: server, url } = await serve(path, "--port", "0");
    const command = await tail(url);
    const { code } = await migrate(path, "ALTER TABLE artists DROP COLUMN genre; DELETE FROM artists WHERE id = 1")
      .result;
    expect(code).toBe(0);
    await command.until((one) => snapshotsIn(one).length === 2);
    const [before, after] = snapshotsIn(command);
    expect(before).toContain('"genre":"krautrock"');
    expect(after).not.toContain("genre");
    expect(after).not.toContain('"name":"Can"');
    runSql(path, "INSERT INTO artists (name) VALUES ('Air')");
    await command.until(({ stdout }) => stdout.includes("HTTP/1.1 201"));
    expect(command.stdout).toMatch(/201 Created\n(?:.*\n)*.*"name":"Air"/);
    expect(snapshotsIn(command).length).toBe(2);
    expect(server.stderr).toMatch(
      /^(?:rocket: "rocket migrate" is running \(process \d+\): changes are told when it has ended\.\n)?$/,
    );
  });

  it("lets a server answer reads and writes meanwhile", async () => {
    const path = createDatabase();
    const { url } = await serve(path, "--port", "0");
    const command = await tail(url);
    const migration = await startMigration(path);
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${url}/artists`, { method: "POST", headers, body: '{"name":"Air"}' });
    expect(answer.status).toBe(201);
    expect(await (await fetch(`${url}/artists`)).text()).toContain("Air");
    expect(triggersIn(path)).toBe(0);
    migration.process.kill("SIGTERM");
    await command.until((one) => snapshotsIn(one).length === 2);
    expect(snapshotsIn(command)[1]).toContain("Air");
  });

  it("gives a tail that comes back after it, with an older position, a fresh 200", async () => {
    const path = createDatabase();
    const first = await serve(path, "--port", "0");
    const command = await tail(first.url);
    first.command.process.kill("SIGTERM");
    await first.command.result;
    expect((await migrate(path, "ALTER TABLE artists DROP COLUMN genre").result).code).toBe(0);
    await serve(path, "--port", new URL(first.url).port);
    await command.until((one) => snapshotsIn(one).length === 2);
    expect(snapshotsIn(command)[1]).not.toContain("genre");
  });

  it("ends with the command's exit code, and puts the triggers back where it failed", async () => {
    const path = await createArmed();
    const { code } = await rocket("migrate", path, "--", process.execPath, "-e", "process.exit(7)").result;
    expect(code).toBe(7);
    expect(triggersIn(path)).toBeGreaterThan(0);
  });

  it("hands SIGTERM on, ends with 128 and its number, and puts the triggers back", async () => {
    const path = await createArmed();
    const migration = await startMigration(path);
    expect(triggersIn(path)).toBe(0);
    migration.process.kill("SIGTERM");
    expect((await migration.result).code).toBe(143);
    expect(triggersIn(path)).toBeGreaterThan(0);
  });

  it("ends with 127 where there is no such command", async () => {
    const { code, stderr } = await rocket("migrate", await createArmed(), "--", "no-such-command").result;
    expect({ code, stderr }).toEqual({
      code: 127,
      stderr: `rocket: Can't run "no-such-command": there is no such command.\n`,
    });
  });

  it("adds nothing to a database that Rocket was never on", async () => {
    const path = createDatabase();
    expect((await migrate(path, "ALTER TABLE artists DROP COLUMN genre").result).code).toBe(0);
    expect(query(path, "SELECT name FROM sqlite_schema ORDER BY name")).toEqual(["artists", "songs"]);
  });

  it("runs nothing where there is no database", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "none.db");
    const script = `require("node:fs").writeFileSync(${JSON.stringify(join(folder, "ran"))}, "")`;
    const { code, stderr } = await rocket("migrate", path, "--", process.execPath, "-e", script).result;
    expect({ code, stderr }).toEqual({ code: 1, stderr: `rocket: There is no database ${JSON.stringify(path)}.\n` });
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });

  it.each([
    ["another", (path: string) => migrate(path, "SELECT 1")],
    ["a server's start", (path: string) => rocket("serve", path, "--port", "0")],
    ["--detach", (path: string) => rocket("serve", path, "--detach")],
  ])("refuses %s while it runs", async (_what, start) => {
    const path = await createArmed();
    const migration = await startMigration(path);
    const { code, stderr } = await start(path).result;
    expect(code).toBe(1);
    expect(stderr.replace(/^Warning: .*\n/, "")).toBe(
      `rocket: "rocket migrate" is running (process ${migration.process.pid}): try again when it has ended.\n`,
    );
  });

  it("is made up for by a running server when it was killed", async () => {
    const path = createDatabase();
    const { url } = await serve(path, "--port", "0");
    const command = await tail(url);
    const migration = await startMigration(path);
    migration.process.kill("SIGKILL");
    await command.until((one) => snapshotsIn(one).length === 2);
    expect(triggersIn(path)).toBeGreaterThan(0);
  });

  it("is made up for by the next server when it was killed", async () => {
    const path = await createArmed();
    const migration = await startMigration(path);
    migration.process.kill("SIGKILL");
    await migration.result;
    await serve(path, "--port", "0");
    expect(triggersIn(path)).toBeGreaterThan(0);
  });
});
