import { describe, expect, it } from "vitest";
import { type Command, rocket, serve } from "./command.ts";
import { createDatabase, runSql } from "./database.ts";

/** The messages that were printed, in short: `201 /artists/4 Air`. Heartbeats and bookmarks are left out. */
function changesIn({ stdout }: Command): string[] {
  const messages = stdout.split(/(?=^HTTP\/1\.1 )/m);
  return messages.flatMap((text) => {
    const status = text.slice(9, 12);
    const url = /^Content-Location: (.*)$/m.exec(text)?.[1];
    const name = /"name":"([^"]*)"/.exec(text)?.[1];
    return url === undefined ? [] : [[status, url, name].filter((part) => part !== undefined).join(" ")];
  });
}

function count(command: Command, status: number): number {
  return command.stdout.split(`HTTP/1.1 ${status} `).length - 1;
}

/** Starts a tail and waits until it has caught up. */
async function tail(url: string, ...args: readonly string[]): Promise<Command> {
  const command = rocket("tail", `${url}/artists`, ...args);
  await command.until((one) => (args.includes("0") ? one.stderr.includes("connected") : count(one, 304) > 0));
  return command;
}

describe("rocket tail against rocket serve", () => {
  it("prints the snapshot, then what another program writes with SQL [R-SUB-1]", async () => {
    const path = createDatabase();
    const { url } = await serve(path, "--port", "0");
    const command = await tail(url);
    expect(command.stdout).toMatch(/^HTTP\/1\.1 200 OK\n/);
    runSql(path, "INSERT INTO artists (name) VALUES ('Air')");
    runSql(path, "UPDATE artists SET name = 'Low!' WHERE id = 3; DELETE FROM artists WHERE id = 1;");
    await command.until((one) => count(one, 204) === 1);
    expect(changesIn(command)).toEqual(["201 /artists/4 Air", "202 /artists/3 Low!", "204 /artists/1"]);
  });

  it("prints the same changes at Level 0, without a snapshot [R-L0-2]", async () => {
    const path = createDatabase();
    const { url } = await serve(path, "--port", "0");
    const command = await tail(url, "--level", "0", "--count", "2");
    runSql(path, "UPDATE artists SET name = 'CAN' WHERE id = 1; DELETE FROM artists WHERE id = 2;");
    const { code, stdout } = await command.result;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^HTTP\/1\.1 202 Accepted\nContent-Type: application\/json\nContent-Location: \/artists\/1\n\n\{.*\}\n\nHTTP\/1\.1 204 No Content\nContent-Type: application\/json\nContent-Location: \/artists\/2\n\n$/,
    );
  });

  it("goes on without gap or repeat after the server was killed and started again [R-RES-1]", async () => {
    const path = createDatabase();
    const first = await serve(path, "--port", "0");
    const command = await tail(first.url);
    runSql(path, "INSERT INTO artists (name) VALUES ('A')");
    await command.until((one) => changesIn(one).length === 1);
    first.command.process.kill("SIGKILL");
    await first.command.result;
    runSql(path, "INSERT INTO artists (name) VALUES ('B'), ('C')");
    const second = await serve(path, "--port", new URL(first.url).port);
    await command.until((one) => one.stderr.includes("resumed after"));
    runSql(path, "INSERT INTO artists (name) VALUES ('D')");
    await command.until((one) => changesIn(one).length >= 4);
    second.command.process.kill("SIGTERM");
    expect((await second.command.result).code).toBe(0);
    expect(changesIn(command)).toEqual([
      "201 /artists/4 A",
      "201 /artists/5 B",
      "201 /artists/6 C",
      "201 /artists/7 D",
    ]);
    expect(count(command, 200)).toBe(1);
  });

  it("is told by a server that stops to come back later [R-CLOSE-4]", async () => {
    const path = createDatabase();
    const { command: server, url } = await serve(path, "--port", "0");
    const command = await tail(url);
    server.process.kill("SIGTERM");
    expect((await server.result).code).toBe(0);
    await command.until(
      ({ stderr }) => stderr.includes("connection lost (close code 1001)") || stderr.includes("trying again"),
    );
    expect(command.stdout).toMatch(/HTTP\/1\.1 304 Not Modified\nEvent-ID: \S+\n\n$/);
  });

  it.each([
    ["/nowhere", "404 Not Found: "],
    ["/artists?colour=red", "400 Bad Request: "],
  ])("ends with 1 and the reason where %s can't be followed [R-L1-5]", async (target, reason) => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const { code, stderr } = await rocket("tail", `${url}${target}`).result;
    expect(code).toBe(1);
    expect(stderr.trim().split("\n").at(-1)).toContain(`rocket: ${reason}`);
  });

  it.each(["0", "1"])(
    "ends with 0 when the record that it follows at Level %s is destroyed [R-SUB-9]",
    async (level) => {
      const path = createDatabase();
      const { url } = await serve(path, "--port", "0");
      const command = rocket("tail", `${url}/artists/2`, "--level", level);
      await command.until(
        ({ stdout, stderr }) => stderr.includes("connected") && (level === "0" || stdout.includes(" 304 ")),
      );
      runSql(path, "DELETE FROM artists WHERE id = 2");
      const { code } = await command.result;
      expect(code).toBe(0);
      expect(changesIn(command)).toEqual(["204 /artists/2"]);
    },
  );
});
