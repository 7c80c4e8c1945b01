import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { frontOf } from "../check/front.ts";
import { rocket, serve } from "./command.ts";
import { createDatabase, runSql } from "./database.ts";

interface Printed {
  readonly failed: boolean;
  readonly results: readonly { readonly requirement: string; readonly outcome: string; readonly says: string }[];
  readonly unseen: Readonly<Record<string, string>>;
}

const noEcho = { accepted: (head: string) => head.replace(/^Sec-WebSocket-Protocol: .*\r\n/im, "") };

describe("rocket check", () => {
  it("says that nothing is wrong, what was left out and why, and ends with 0", { timeout: 60_000 }, async () => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const { code, stdout, stderr } = await rocket("check", `${url}/artists`, "--quick").result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("a collection of 3 records");
    expect(stdout).toContain("No MUST was found broken.");
    expect(stdout.replace(/\s+/g, " ")).toContain("It needs a change, and --write was not given. R-L0-3");
  });

  it("shows what is broken, with what passed and what the requirement says, and ends with 1", {
    timeout: 60_000,
  }, async () => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const broken = await frontOf(`${url}/artists`, noEcho);
    const { code, stdout } = await rocket("check", broken, "--only", "R-L1-1").result;
    expect(code).toBe(1);
    expect(stdout).toContain("FAILED  [R-L1-1] chooses Level 1 where rocket.v1 is offered");
    expect(stdout).toContain("| A server MUST choose Level 1 where `rocket.v1` is among the offered subprotocols");
    expect(stdout).toContain("should have come: Sec-WebSocket-Protocol: rocket.v1");
    expect(stdout).toContain("came:             It is missing.");
    expect(stdout).toMatch(/→ GET \/artists HTTP\/1\.1⏎.*\n *← HTTP\/1\.1 101 Switching Protocols/);
    expect(stdout).toContain("of 1 requirements: R-L1-1");
  });

  it("prints the same as JSON", { timeout: 60_000 }, async () => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const broken = await frontOf(`${url}/artists`, noEcho);
    const { code, stdout } = await rocket("check", broken, "--only", "R-L1-1,R-L0-1", "--json").result;
    const { failed, results, unseen } = JSON.parse(stdout) as Printed;
    expect({ code, failed }).toEqual({ code: 1, failed: true });
    expect(results.map(({ requirement, outcome }) => `${requirement} ${outcome}`)).toContain("R-L0-1 passed");
    expect(results.filter(({ says }) => says === "")).toEqual([]);
    expect(unseen["R-CLOSE-4"]).toBe("It takes a server that is stopped.");
  });

  it("looks at streams alone with --stream, and at no level then", { timeout: 60_000 }, async () => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const only = ["--only", "R-STR-1,R-STR-15,R-L1-1", "--json"];
    const { code, stdout } = await rocket("check", `${url}/artists`, "--stream", ...only).result;
    const { results } = JSON.parse(stdout) as Printed;
    expect(code).toBe(0);
    expect(new Set(results.map(({ requirement, outcome }) => `${requirement} ${outcome}`))).toEqual(
      new Set(["R-STR-1 passed", "R-STR-15 passed"]),
    );
    const both = await rocket("check", url, "--stream", "--level", "1").result;
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("give --level, or --stream")]);
  });

  it("writes by the request that it is given", { timeout: 60_000 }, async () => {
    const path = createDatabase();
    runSql(path, "CREATE TABLE tags (name TEXT PRIMARY KEY)");
    const { url } = await serve(path, "--port", "0");
    const write = 'POST /tags {"name":"{random}"}';
    const { code, stdout } = await rocket("check", `${url}/tags`, "--write", write, "--only", "R-SUB-3,R-SUB-4").result;
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("Subscriptions: 6 passed") });
    expect(await (await fetch(`${url}/tags`)).json()).toEqual({ tags: [] });
  });

  it.each([
    ["that there is not", "R-XYZ-2", 'there is no requirement "R-XYZ-2"'],
    [
      "that can't be seen from outside",
      "R-CLOSE-4",
      "R-CLOSE-4 can't be seen from outside. It takes a server that is stopped.",
    ],
  ])("ends with 1 at a requirement %s, and names it", { timeout: 60_000 }, async (_what, id, sentence) => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const { code, stdout, stderr } = await rocket("check", `${url}/artists`, "--only", `R-SUB-1,${id}`).result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(sentence);
  });

  it("ends with 1 where nothing could be checked, and says so", { timeout: 60_000 }, async () => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const { code, stdout } = await rocket("check", `${url}/artists`, "--only", "R-SUB-3").result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("Nothing could be checked.") });
  });

  it.each([
    ["a URL that is refused", "/nothing", "A GET of the URL is answered 404"],
    ["a URL that can't be followed", "/", "The URL can't be followed: a 422 came."],
  ])("ends with 1 at %s, and says so", { timeout: 60_000 }, async (_what, target, sentence) => {
    const { url } = await serve(createDatabase(), "--port", "0");
    const { code, stdout, stderr } = await rocket("check", url + target).result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(sentence);
  });
});

describe("rocket check --client", () => {
  it("lists its situations, and ends when it is told to", { timeout: 60_000 }, async () => {
    const command = rocket("check", "--client", "--port", "0");
    const pattern = /http:\/\/127\.0\.0\.1:\d+/;
    await command.until(({ stderr }) => pattern.test(stderr));
    const [url = ""] = pattern.exec(command.stderr) ?? [];
    const places = (await (await fetch(url)).json()) as { readonly url: string; readonly title: string }[];
    expect(places.length).toBeGreaterThan(40);
    expect((await fetch(places[0]?.url ?? "")).status).toBe(200);
    await fetch(`${url}/end`, { method: "POST" });
    const { code, stdout } = await command.result;
    expect(code).toBe(1);
    expect(stdout).toContain("Nobody followed its URL, or it is not over.");
    expect(stdout).not.toMatch(/[1-9][0-9]* passed/);
    expect(stdout).toContain("Nothing could be checked.");
  });

  it("has what can be played without WebSockets with --stream, and answers no handshake", {
    timeout: 60_000,
  }, async () => {
    const command = rocket("check", "--client", "--stream", "--port", "0");
    const pattern = /http:\/\/127\.0\.0\.1:\d+/;
    await command.until(({ stderr }) => pattern.test(stderr));
    const [url = ""] = pattern.exec(command.stderr) ?? [];
    const places = (await (await fetch(url)).json()) as { readonly url: string; readonly ways: readonly string[] }[];
    expect(places.filter(({ ways }) => ways.every((way) => way === "socket"))).toEqual([]);
    const socket = new WebSocket(places[0]?.url.replace("http", "ws") ?? "");
    const closed = new Promise((resolve) => socket.on("error", () => resolve("refused")));
    expect(await closed).toBe("refused");
    await fetch(`${url}/end`, { method: "POST" });
    expect((await command.result).code).toBe(1);
  });
});
