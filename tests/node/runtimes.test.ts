import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { requireHandshakes } from "../../src/node/upgrade.ts";
import { Command } from "../cli/command.ts";
import { Follower } from "./attach/follower.ts";
import { OpenStream } from "./stream.ts";

/** The command of another JavaScript runtime: the project's, else an installed one; where there is none, a line says so. */
function findRuntime(name: string): string | undefined {
  const found = [join("node_modules", ".bin", name), name].find((file) => {
    return spawnSync(file, ["--version"], { encoding: "utf8", timeout: 20_000 }).status === 0;
  });
  if (found === undefined) console.log(`The tests on ${name} are skipped, for it is not here: npm i --no-save ${name}`);
  return found;
}

const [bun, deno] = [findRuntime("bun"), findRuntime("deno")];
const denoFlags = ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-env", "--allow-sys"];

/** The command line that runs a script, or code, of this project. */
const ways = [
  { name: "bun", file: bun, run: (script: string) => [script] },
  { name: "deno", file: deno, run: (script: string) => [...denoFlags, script] },
];

describe.each(ways)("on $name, the example of an application by fetch", ({ name, file, run }) => {
  it.skipIf(file === undefined)("is followed, at both levels, and says good-bye when it is stopped", async () => {
    const start = new Command(file ?? "", [...run(`examples/fetch/${name}.js`), "0"]);
    await start.until(({ stdout }) => stdout.includes("/tasks\n"));
    const url = start.stdout.trim();
    const open = new Follower(`${url.replace("http:", "ws:")}?done=false`, {});
    await open.ready();
    const changes = new Follower(url.replace("http:", "ws:"), { protocols: [] });
    await changes.opened;
    const headers = { "Content-Type": "application/json" };
    const title = "Grüße ".repeat(20_000);
    await fetch(url, { method: "POST", headers, body: JSON.stringify({ title }) });
    await open.rows([
      { id: 2, title: "Try it", done: false },
      { id: 3, title, done: false },
    ]);
    await fetch(`${url}/2`, { method: "PATCH", headers, body: '{"done":true}' });
    await open.rows([{ id: 3, title, done: false }]);
    expect(open.messages.map(({ status }) => status)).toEqual([200, 304, 201, 204]);
    expect(changes.messages[0]).toMatchObject({ status: 201 });
    expect((await (await fetch(new URL("/.well-known/rocket", url))).json()) as object).toHaveProperty("rocket");
    start.process.kill("SIGTERM");
    expect(await open.closed).toBe(1001);
    expect((await start.result).code).toBe(0);
  });

  it.skipIf(file === undefined)("has streams over plain HTTP, patches and GETs that wait", async () => {
    const start = new Command(file ?? "", [...run(`examples/fetch/${name}.js`), "0"]);
    await start.until(({ stdout }) => stdout.includes("/tasks\n"));
    const url = start.stdout.trim();
    const events = await OpenStream.open(url, "text/event-stream");
    const parts = await OpenStream.open(url, "application/http");
    const patches = await OpenStream.patches(url);
    const opened = await events.message(1);
    await Promise.all([parts.message(1), patches.until(({ text }) => text.includes("retry: "))]);
    const position = opened.fields.find(([field]) => field === "Event-ID")?.[1] ?? "";
    const waits = fetch(url, { headers: { Prefer: "wait=20", "Last-Event-ID": position } });
    await fetch(`${url}/2`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: '{"done":true}',
    });
    await Promise.all([events.message(2), parts.message(2)]);
    expect([events, parts].map(({ messages }) => messages.map(({ status }) => status))).toEqual(
      Array(2).fill([200, 304, 202]),
    );
    expect((await patches.event(0)).data).toBe(
      '[{"op":"replace","path":"/tasks/2","value":{"id":2,"title":"Try it","done":true}}]',
    );
    expect(await (await waits).json()).toHaveLength(2);
    const { rocket } = await (await fetch(new URL("/.well-known/rocket", url))).json();
    expect(rocket.streams).toEqual(["text/event-stream", "application/http"]);
    start.process.kill("SIGTERM");
    await Promise.all([events.end(), parts.end(), patches.end()]);
    expect((await start.result).code).toBe(0);
  });

  it.skipIf(file === undefined)("refuses pages of other origins, and what the application refuses", async () => {
    const start = new Command(file ?? "", [...run(`examples/fetch/${name}.js`), "0"]);
    await start.until(({ stdout }) => stdout.includes("/tasks\n"));
    const url = start.stdout.trim().replace("http:", "ws:");
    const foreign = new Follower(url, { headers: { Origin: "https://evil.example" } });
    await expect(foreign.opened).rejects.toThrow("403");
    const own = new Follower(url, { headers: { Origin: new URL(start.stdout.trim()).origin } });
    await own.ready();
    const none = new Follower(`${url}/99`, { protocols: [] });
    await expect(none.opened).rejects.toThrow("404");
  });
});

describe("attach", () => {
  it.skipIf(deno === undefined)("works on Deno", async () => {
    const start = new Command(deno ?? "", [...denoFlags, "examples/express/start.js", "0"]);
    await start.until(({ stdout }) => stdout.includes("/tasks\n"));
    const url = start.stdout.trim();
    const all = new Follower(url.replace("http:", "ws:"), {});
    await all.ready();
    await fetch(`${url}/2`, { method: "DELETE" });
    await all.rows([{ id: 1, title: "Read the proposal", done: true }]);
  });

  it.skipIf(bun === undefined)("is refused on Bun at once, with the way that works there", async () => {
    const { code, stderr } = await new Command(bun ?? "", ["examples/express/start.js", "0"]).result;
    expect(code).toBe(1);
    expect(stderr).toContain("runtime-unsupported");
    expect(stderr).toContain("connectMessageSocket of rocket-rest/server");
  });

  it.skipIf(bun === undefined)("is refused there as createServer and createProxy are", async () => {
    const dist = (layer: string) => JSON.stringify(pathToFileURL(`dist/${layer}/index.js`).href);
    const code = `
      import { createServer } from ${dist("node")};
      import { createProxy } from ${dist("proxy")};
      const origin = async () => ({ status: 200, fields: [], body: "" });
      for (const make of [() => createServer({ origin }), () => createProxy({ upstream: "http://127.0.0.1:1" })]) {
        try {
          make();
          console.log("made");
        } catch (error) {
          console.log(error.code);
        }
      }`;
    const run = new Command(bun ?? "", ["--eval", code]);
    onTestFinished(() => void run.process.kill());
    expect((await run.result).stdout).toBe("runtime-unsupported\nruntime-unsupported\n");
  });

  it("takes handshakes on every other runtime", () => {
    expect(() => requireHandshakes({ node: "20.19.0", deno: "2.0.0" })).not.toThrow();
    expect(() => requireHandshakes({ node: "24.0.0", bun: "1.2.0" })).toThrow(/^On Bun, /);
  });
});
