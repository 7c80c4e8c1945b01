import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Command, runNode } from "./command.ts";
import { createDatabase } from "./database.ts";

/** A port that was free a moment ago. */
async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `${port}`;
}

/** Runs a command in such an environment until it says where it listens. */
async function start(args: readonly string[], env: NodeJS.ProcessEnv): Promise<{ command: Command; url: string }> {
  const command = runNode("dist/bin/rocket.js", args, env);
  const pattern = /http:\/\/[\w.:[\]]+:\d+\S*(?=\n)/;
  await command.until(({ stdout }) => pattern.test(stdout));
  return { command, url: pattern.exec(command.stdout)?.[0] ?? "" };
}

async function upstream(): Promise<string> {
  const server = createServer((_request, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `${(server.address() as AddressInfo).port}`;
}

const commands = [
  ["serve", () => ["serve", createDatabase()]],
  ["proxy", async () => ["proxy", await upstream()]],
] as const;

describe.each(commands)("rocket %s", (_name, argsOf) => {
  it("listens where PORT and HOST say", async () => {
    const port = await freePort();
    const { url } = await start(await argsOf(), { PORT: port, HOST: "127.0.0.2" });
    expect(url).toBe(`http://127.0.0.2:${port}`);
  });

  it("listens where its flags say, whatever PORT and HOST say", async () => {
    const port = await freePort();
    const args = [...(await argsOf()), "--port", port, "--host", "127.0.0.3"];
    const { url } = await start(args, { PORT: "1", HOST: "192.0.2.1" });
    expect(url).toBe(`http://127.0.0.3:${port}`);
  });

  it("takes empty ones for absent", async () => {
    const { url } = await start([...(await argsOf()), "--port", "0"], { PORT: "", HOST: "" });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  it("says its URL with the --base-path", async () => {
    const { url } = await start([...(await argsOf()), "--port", "0", "--base-path", "api/"], {});
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/api$/);
    expect((await fetch(`${url}/.well-known/rocket`)).status).toBe(200);
  });

  it("says that a PORT is none", async () => {
    const { code, stderr } = await runNode("dist/bin/rocket.js", await argsOf(), { PORT: "http" }).result;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("from env 'PORT' is invalid") });
  });
});

describe("rocket serve", () => {
  it("lets nobody else write because of HOST alone", async () => {
    const env = { PORT: "0", HOST: "0.0.0.0" };
    const { code, stderr } = await runNode("dist/bin/rocket.js", ["serve", createDatabase()], env).result;
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("add --read-only, or --insecure") });
  });
});
