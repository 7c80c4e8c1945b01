import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { rocket, serve } from "./command.ts";
import { createDatabase, temporaryFolder } from "./database.ts";

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

  it("says that a file is no database", async () => {
    const path = join(temporaryFolder(), "text.db");
    writeFileSync(path, "This is not a database, but it is long enough to be taken for one. ".repeat(20));
    const { code, stdout, stderr } = await rocket("serve", path, "--port", "0").result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^rocket: [^\n]*text\.db[^\n]*\n$/);
  });

  it("says that a table is not there", async () => {
    const { code, stderr } = await rocket("serve", createDatabase(), "--port", "0", "--tables", "artist").result;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^rocket: [^\n]*artist[^\n]*\n$/);
  });

  it("creates a database with --create", async () => {
    const path = join(temporaryFolder(), "new.db");
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
      stdout: `Removed what Rocket had added to ${path}. If a server runs on it, that stops.\n`,
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
