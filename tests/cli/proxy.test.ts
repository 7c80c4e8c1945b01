import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Command, rocket } from "./command.ts";

async function upstream(): Promise<{ server: Server; url: string }> {
  const rows: { id: number }[] = [{ id: 1 }];
  const server = createServer((incoming, response) => {
    if (incoming.method === "POST") rows.push({ id: rows.length + 1 });
    response.writeHead(incoming.method === "POST" ? 201 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(rows));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function start(...args: readonly string[]): Promise<{ command: Command; url: string }> {
  const command = rocket("proxy", ...args, "--port", "0");
  await command.until(({ stdout }) => stdout.includes("…"));
  return { command, url: command.stdout.split("\n")[0] ?? "" };
}

describe("rocket proxy", () => {
  it("prints its URL first, then what it does", async () => {
    const { url: api } = await upstream();
    const { command, url } = await start(api);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(command.stdout.split("\n").slice(1)).toEqual([
      "",
      `Passes everything on to ${api}. Each URL there that answers a GET can be followed:`,
      `  rocket tail ${url}/…`,
      "To look around, with a browser:",
      `  ${url}/.well-known/rocket/inspector`,
      "",
    ]);
    expect(await (await fetch(`${url}/rows`)).json()).toEqual([{ id: 1 }]);
  });

  it("takes a port alone, and an address without a scheme", async () => {
    const { url: api } = await upstream();
    const { host, port } = new URL(api);
    expect((await start(host)).command.stdout).toContain(`Passes everything on to ${api}.`);
    expect((await start(port)).command.stdout).toContain(`Passes everything on to http://localhost:${port}.`);
  });

  it("shows rocket tail what is written through it", async () => {
    const { url: api } = await upstream();
    const { url } = await start(api);
    const tail = rocket("tail", `${url}/rows`, "--count", "3");
    await tail.until(({ stdout }) => stdout.includes(" 304 "));
    expect((await fetch(`${url}/rows`, { method: "POST" })).status).toBe(201);
    const { code, stdout } = await tail.result;
    expect(code).toBe(0);
    // The API has no URL for a row.
    expect(stdout).toContain("HTTP/1.1 201 Created\nContent-Type: application/json\nContent-Location: /rows#2\n");
  });

  it("takes where records are from --records, and ends with 1 where that can't be right", async () => {
    const { url: api } = await upstream();
    const { url } = await start(api, "--records", '{"/rows":{"key":"id"}}');
    const tail = rocket("tail", `${url}/rows`, "--count", "1");
    expect((await tail.result).stdout).toContain('Items: list="", record="", url="/rows/{id}"');
    const wrong = await rocket("proxy", api, "--records", '{"/rows":{"list":"/a"}}').result;
    expect([wrong.code, wrong.stderr]).toEqual([1, 'rocket: records: "/rows" needs a key or a link.\n']);
    const broken = await rocket("proxy", api, "--records", "[]").result;
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining("Give a JSON object by path")]);
  });

  it("tells clients, by --idempotency-keys, that the API does a write once [R-WK-4]", async () => {
    const { url: api } = await upstream();
    const { url } = await start(api, "--idempotency-keys");
    const { rocket: said } = await (await fetch(`${url}/.well-known/rocket`)).json();
    expect(said.promises).toEqual(["idempotency-key"]);
  });

  it("finds writes behind its back after --refresh seconds", async () => {
    const { url: api } = await upstream();
    const { url } = await start(api, "--refresh", "1");
    const tail = rocket("tail", `${url}/rows`, "--count", "3");
    await tail.until(({ stdout }) => stdout.includes(" 304 "));
    expect((await fetch(`${api}/rows`, { method: "POST" })).status).toBe(201);
    expect((await tail.result).stdout).toContain("HTTP/1.1 201 Created");
  });

  it.each(["SIGTERM", "SIGINT"] as const)("stops gracefully with exit code 0 at %s", async (signal) => {
    const { url: api } = await upstream();
    const { command, url } = await start(api);
    await (await fetch(`${url}/rows`)).text();
    command.process.kill(signal);
    const { code, stderr } = await command.result;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^Stopping.*\n$/) });
  });

  it("starts before its upstream does, and says that it is down", async () => {
    const { url: api, server } = await upstream();
    await new Promise((resolve) => server.close(resolve));
    const { command, url } = await start(api);
    expect((await fetch(`${url}/rows`)).status).toBe(502);
    await command.until(({ stderr }) => stderr.includes(`rocket: Can't get an answer from ${api}: the connection was`));
    expect(command.process.exitCode).toBe(null);
  });

  it("lets pages of --allow-origin in, and no others [R-SEC-1]", async () => {
    const { url: api } = await upstream();
    const { command, url } = await start(api, "--allow-origin", "https://app.example.com");
    const post = async (origin: string) => (await fetch(url, { method: "POST", headers: { Origin: origin } })).status;
    expect(await post("https://app.example.com")).toBe(201);
    expect(await post("https://evil.example.com")).toBe(403);
    await command.until(({ stderr }) => stderr.includes("--allow-origin https://evil.example.com"));
  });

  it("says that a port is in use, and what to do", async () => {
    const { url: api } = await upstream();
    const { port } = new URL(api);
    const { code, stdout, stderr } = await rocket("proxy", api, "--port", port).result;
    expect({ code, stdout, stderr }).toEqual({
      code: 1,
      stdout: "",
      stderr: `rocket: Port ${port} is in use by another program: stop that, or take another port: --port 8081.\n`,
    });
  });

  it.each([
    ["no upstream", [], "missing required argument 'upstream'"],
    ["an upstream with a path", ["http://a/b"], "Give scheme, host and port only"],
    ["an upstream of another scheme", ["ftp://a"], "Give scheme, host and port only"],
    ["a host field that is none", ["a", "--host-field", "mine"], "Allowed choices are keep, upstream."],
    ["no time", ["a", "--refresh", "0"], "Give a whole number from 1 to 86400."],
    ["a port that is none", ["a", "--port", "x"], "Give a whole number from 0 to 65535."],
  ] as const)("with %s, ends with 2 and says why", async (_what, args, sentence) => {
    const { code, stdout, stderr } = await rocket("proxy", ...args).result;
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr.replace(/\s+/g, " ")).toContain(sentence);
  });
});
