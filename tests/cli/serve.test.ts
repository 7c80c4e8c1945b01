import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { rocket, serve } from "./command.ts";
import { createDatabase, runSql, temporaryFolder } from "./database.ts";

async function namesIn(url: string): Promise<string[]> {
  const body = (await (await fetch(`${url}/artists`)).json()) as {
    readonly artists: readonly { readonly name: string }[];
  };
  return body.artists.map(({ name }) => name);
}

function objectsIn(path: string): string[] {
  const database = new Database(path, { readonly: true });
  const names = database.prepare("SELECT name FROM sqlite_master ORDER BY name").pluck().all();
  database.close();
  return names.map(String);
}

describe("rocket serve", () => {
  it.each([
    [[], 413],
    [["--max-body", "3"], 201],
  ])("with the options %j answers a body of 2 MiB with %d", async (options, status) => {
    const { url } = await serve(createDatabase(), "--port", "0", ...options);
    const body = JSON.stringify({ name: "x".repeat(2 * 1024 * 1024) });
    const answer = await fetch(`${url}/artists`, {
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(answer.status).toBe(status);
  });

  it("prints its URL, the collections with their counts, and what it added", async () => {
    const path = createDatabase();
    const { command, url } = await serve(path, "--port", "0");
    await command.until(({ stdout }) => stdout.includes("--detach"));
    expect(command.stdout.split("\n").slice(0, 5)).toEqual([
      `Serving ${path} at ${url}`,
      "",
      "  /artists  3",
      "  /songs    0",
      "",
    ]);
    expect(command.stdout).toContain(`To remove them: rocket serve ${path} --detach`);
    expect(await namesIn(url)).toEqual(["Can", "Neu!", "Low"]);
  });

  it.each(["SIGTERM", "SIGINT"] as const)("stops gracefully with exit code 0 at %s", async (signal) => {
    const { command } = await serve(createDatabase(), "--port", "0");
    command.process.kill(signal);
    const { code, stderr } = await command.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Stopping.*\n$/) });
  });

  it("says that a port is in use, and what to do", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const { code, stdout, stderr } = await rocket("serve", createDatabase(), "--port", `${port}`).result;
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `rocket: Port ${port} is in use by another program: stop that, or take another port: --port 8081.\n`,
    });
  });

  it("says that there is no such file, and makes none", async () => {
    const path = join(temporaryFolder(), "none.db");
    const { code, stdout, stderr } = await rocket("serve", path, "--port", "0").result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^rocket: [^\n]*none\.db[^\n]*\n$/);
  });

  it.each([
    ["a text", (path: string) => writeFileSync(path, "This is no database. ".repeat(60)), "is not a SQLite database."],
    ["a short text", (path: string) => writeFileSync(path, "text"), "is not a SQLite database."],
    [
      "an empty file",
      (path: string) => writeFileSync(path, ""),
      "is an empty file. The option create makes a database of it.",
    ],
    ["a folder", (path: string) => mkdirSync(path), "is a folder, not a database."],
  ])("says that %s is no database", async (_what, make, reason) => {
    const path = join(temporaryFolder(), "no.db");
    make(path);
    const { code, stdout, stderr } = await rocket("serve", path, "--port", "0").result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(`rocket: ${JSON.stringify(path)} ${reason}\n`);
  });

  it.skipIf(process.getuid?.() === 0)("says that a file can't be read", async () => {
    const path = createDatabase();
    chmodSync(path, 0);
    const { code, stderr } = await rocket("serve", path, "--port", "0").result;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `rocket: ${JSON.stringify(path)} can't be read: permission denied.\n`,
    });
  });

  it("says what to do with a database that it has created, which works as it is said", async () => {
    const path = join(temporaryFolder(), "new.db");
    const { command, url } = await serve(path, "--port", "0", "--create");
    await command.until(({ stdout }) => stdout.includes("--detach"));
    const statements = [...command.stdout.matchAll(/^ {2}sqlite3 (\S+) "(.+)"$/gm)];
    expect(statements.map(([, database]) => database)).toEqual([path, path]);
    const [make = "", insert = ""] = statements.map(([, , sql]) => sql);
    runSql(path, make);
    const tail = rocket(...(/^ {2}rocket (tail .+)$/m.exec(command.stdout)?.[1] ?? "").split(" "));
    await tail.until(({ stdout }) => stdout.includes("HTTP/1.1 304"));
    runSql(path, insert);
    // As a 201, or in the 200 with which the new table's triggers begin, a quiet moment after it was made.
    await tail.until(({ stdout }) => /"notes?":\[?\{"url":"\/notes\/1","id":1,"text":"Hello"/.test(stdout));
    expect(command.stdout).toContain(`  curl ${url}/notes\n`);
  });

  it("says that the folder of a database that it is to create is not there", async () => {
    const folder = join(temporaryFolder(), "none");
    const path = join(folder, "new.db");
    const { code, stderr } = await rocket("serve", path, "--port", "0", "--create").result;
    const reason = `can't be made: there is no folder ${JSON.stringify(folder)}.`;
    expect({ code, stderr }).toEqual({ code: 1, stderr: `rocket: ${JSON.stringify(path)} ${reason}\n` });
  });

  it("says that a table is not there", async () => {
    const { code, stderr } = await rocket("serve", createDatabase(), "--port", "0", "--tables", "artist").result;
    const reason = 'names "artist", which the database does not have; it has artists, songs.';
    expect({ code, stderr }).toEqual({ code: 1, stderr: `rocket: --tables ${reason}\n` });
  });

  it.each([
    ["where there is none", () => {}],
    ["of an empty file", (path: string) => writeFileSync(path, "")],
  ])("creates a database %s with --create", async (_where, make) => {
    const path = join(temporaryFolder(), "new.db");
    make(path);
    const { command } = await serve(path, "--port", "0", "--create");
    expect(command.stdout).toContain("(no tables yet)");
  });

  it("serves only the --tables that are named", async () => {
    const { url } = await serve(createDatabase(), "--port", "0", "--tables", "artists");
    expect((await fetch(`${url}/artists`)).status).toBe(200);
    expect((await fetch(`${url}/songs`)).status).toBe(404);
  });

  it.each([["--read-only"], ["--only", "read,subscribe"], ["--except", "create"]])(
    "takes no POST with %s",
    async (...args) => {
      const { url } = await serve(createDatabase(), "--port", "0", ...args);
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(`${url}/artists`, { method: "POST", headers, body: '{"name":"Air"}' });
      expect(answer.status).toBe(405);
      expect(await namesIn(url)).toEqual(["Can", "Neu!", "Low"]);
    },
  );

  it("says in status lines what its problems say, whatever Node's own table has", async () => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${url}/artists/1`, { method: "PATCH", headers, body: '{"name":null}' });
    expect([answer.status, answer.statusText]).toEqual([422, "Unprocessable Content"]);
    expect(await answer.json()).toMatchObject({ title: answer.statusText });
    const refused = new Promise<IncomingMessage>((resolve, reject) => {
      const socket = new WebSocket(`${url}/nowhere`);
      socket.on("unexpected-response", (_request, response) => resolve(response));
      socket.on("open", () => reject(new Error("The handshake was not refused.")));
    });
    const { statusCode, statusMessage } = await refused;
    expect([statusCode, statusMessage]).toEqual([404, "Not Found"]);
  });

  it("lets pages of --allow-origin in, and no others [R-SEC-1]", async () => {
    const { url } = await serve(createDatabase(), "--port", "0", "--allow-origin", "https://app.example.com");
    const post = (origin: string): Promise<Response> =>
      fetch(`${url}/artists`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Origin: origin },
        body: '{"name":"Air"}',
      });
    expect((await post("https://app.example.com")).status).toBe(201);
    expect((await post("https://evil.example.com")).status).toBe(403);
  });

  it("carries a write with an Idempotency-Key out once, also when it is killed in between [R-WK-4]", async () => {
    const path = createDatabase();
    const { command, url } = await serve(path, "--port", "0");
    const { port } = new URL(url);
    const post = async (): Promise<unknown> => {
      const headers = { "Content-Type": "application/json", "Idempotency-Key": '"k"' };
      const answer = await fetch(`${url}/artists`, { method: "POST", headers, body: '{"name":"Air"}' });
      return [answer.status, answer.headers.get("event-id"), answer.headers.get("location"), await answer.text()];
    };
    const first = await post();
    command.process.kill("SIGKILL");
    await command.result;

    await serve(path, "--port", port);

    expect(await post()).toEqual(first);
    expect(await namesIn(url)).toEqual(["Can", "Neu!", "Low", "Air"]);
  });

  it.each([
    ["promises idempotency keys", [], ["journal", "merge-patch", "idempotency-key", "batch"]],
    ["does not promise idempotency keys where it is", ["--read-only"], ["journal", "merge-patch"]],
  ])("%s %j [R-WK-4]", async (_what, args, promises) => {
    const { url } = await serve(createDatabase(), "--port", "0", ...args);
    expect(await (await fetch(`${url}/.well-known/rocket`)).json()).toMatchObject({ rocket: { promises } });
  });

  it("lets listed pages send an Idempotency-Key", async () => {
    const origin = "https://app.example.com";
    const { url } = await serve(createDatabase(), "--port", "0", "--allow-origin", origin);
    const headers = {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "content-type,idempotency-key",
    };
    const preflight = await fetch(`${url}/artists`, { method: "OPTIONS", headers });
    expect(preflight.headers.get("access-control-allow-headers")).toBe("content-type,idempotency-key");
  });

  it("removes with --detach what it added", async () => {
    const path = createDatabase();
    const before = objectsIn(path);
    const { command } = await serve(path, "--port", "0");
    expect(objectsIn(path)).not.toEqual(before);
    command.process.kill("SIGTERM");
    await command.result;
    const { code, stdout } = await rocket("serve", path, "--detach").result;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `Removed what Rocket had added to ${path}, but for the accounts of --users, where there are any. If a server runs on it, that stops.\n`,
    });
    expect(objectsIn(path).filter((name) => !name.startsWith("sqlite_"))).toEqual(before);
  });

  it("stops with exit code 1 when another's --detach removes its journal, and tells subscribers to come back", async () => {
    const path = createDatabase();
    const before = objectsIn(path);
    const { command, url } = await serve(path, "--port", "0");
    const tail = rocket("tail", `${url}/artists`);
    await tail.until(({ stdout }) => stdout.includes("HTTP/1.1 304"));
    expect((await rocket("serve", path, "--detach").result).code).toBe(0);
    const { code, stderr } = await command.result;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^rocket: [^\n]*journal was removed[^\n]*\n$/),
    });
    expect(objectsIn(path).filter((name) => !name.startsWith("sqlite_"))).toEqual(before);
    await serve(path, "--port", new URL(url).port);
    await tail.until(({ stdout }) => stdout.split("HTTP/1.1 200 ").length === 3);
    expect(tail.stderr).toContain("The server is restarting");
  });
});
