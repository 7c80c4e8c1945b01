import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { Follower } from "./follower.ts";
import { answered, firstLine, freePort, hasProgram, run } from "./process.ts";
import { proxy } from "./setting.ts";

const require = createRequire(import.meta.url);
const json = { "Content-Type": "application/json" };
const send = (url: string, method: string, value?: object): Promise<Response> =>
  fetch(url, { method, headers: json, ...(value && { body: JSON.stringify(value) }) });

/** json-server as it comes, on a file of its own. */
async function jsonServer(content: object): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "rocket-proxy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "db.json"), JSON.stringify(content));
  const port = await freePort();
  const file = require.resolve("json-server/lib/cli/bin.js");
  run(process.execPath, [file, "db.json", "--host", "127.0.0.1", "--port", `${port}`, "--quiet"], folder);
  await answered(`http://127.0.0.1:${port}/`);
  return `http://127.0.0.1:${port}`;
}

/** The rows of a list after a snapshot and the notifications that followed, by their URL. */
function shortly(notifications: readonly string[]): string[] {
  return notifications.map((text) => text.replace(/\s+/g, " "));
}

describe("json-server 0.17, unmodified,", () => {
  it("is live behind the proxy: lists, filters, sorted windows and records", async () => {
    const posts = [1, 2, 3, 4].map((id) => ({ id, title: `t${id}`, tag: id % 2 === 0 ? "even" : "odd" }));
    const { url } = await proxy(await jsonServer({ posts, profile: { name: "n" } }));
    const follow = (target: string) => new Follower(`${url}${target}`, ["rocket.v1"]).caughtUp();
    const [all, even, top, one, profile] = await Promise.all([
      follow("/posts"),
      follow("/posts?tag=even"),
      follow("/posts?_sort=id&_order=desc&_limit=2"),
      follow("/posts/1"),
      follow("/profile"),
    ]);
    expect((await send(`${url}/posts`, "POST", { title: "t5", tag: "even" })).status).toBe(201);
    expect(shortly((await all.notifications(2)).slice(1))).toEqual([
      '201 /posts/5 { "title": "t5", "tag": "even", "id": 5 }',
    ]);
    expect((await even.notifications(2))[1]).toMatch(/^201 \/posts\/5 /);
    const left = (await top.notifications(3)).slice(1).map((text) => text.split(" ").slice(0, 2).join(" "));
    expect(left.sort()).toEqual(["201 /posts/5", "204 /posts/3"]);
    await send(`${url}/posts/1`, "PATCH", { title: "T1" });
    expect((await one.notifications(2))[1]).toMatch(/^202 \/posts\/1 /);
    expect((await all.notifications(3))[2]).toMatch(/^202 \/posts\/1 /);
    await send(`${url}/profile`, "PUT", { name: "N" });
    expect((await profile.notifications(2))[1]).toMatch(/^202 \/profile /);
    await send(`${url}/posts/2`, "DELETE");
    expect((await all.notifications(4))[3]).toBe("204 /posts/2");
    expect((await even.notifications(3))[2]).toBe("204 /posts/2");
  });

  it("answers through the proxy as it answers itself", async () => {
    const origin = await jsonServer({ posts: [{ id: 1, title: "t" }] });
    const { url } = await proxy(origin);
    const seen = async (base: string, target: string, method: string) => {
      const answer = await fetch(base + target, { method, headers: { Origin: base } });
      const { date: _, location, link, ...fields } = Object.fromEntries(answer.headers);
      return {
        status: answer.status,
        fields: { ...fields, "access-control-allow-origin": "" },
        body: await answer.text(),
      };
    };
    for (const [method, target] of [
      ["GET", "/posts"],
      ["GET", "/posts?_page=1&_limit=1"],
      ["HEAD", "/posts"],
      ["OPTIONS", "/posts"],
      ["GET", "/nowhere"],
      ["GET", "/"],
      ["GET", "/db"],
    ] as const) {
      expect(await seen(url, target, method)).toEqual(await seen(origin, target, method));
    }
  });
});

const hasPython = hasProgram("python3");
if (!hasPython) console.warn("python3 is not installed: the proxy is not tried with an upstream that is not Node.");

describe.skipIf(!hasPython)("an API in Python", () => {
  it("is live behind the proxy", async () => {
    const script = join(process.cwd(), "tests/proxy/upstream.py");
    const port = await firstLine(run("python3", [script]));
    const { url } = await proxy(`http://127.0.0.1:${port}`);
    const level1 = await new Follower(`${url}/notes`, ["rocket.v1"]).caughtUp();
    const level0 = await new Follower(`${url}/notes`).opened();
    expect((await send(`${url}/notes`, "POST", { text: "two" })).status).toBe(201);
    await level1.notifications(2);
    await send(`${url}/notes/1`, "PUT", { text: "ONE" });
    await level1.notifications(3);
    expect((await send(`${url}/notes/1`, "DELETE")).status).toBe(204);
    const seen = ['201 /notes/2 {"id": 2, "text": "two"}', '202 /notes/1 {"id": 1, "text": "ONE"}', "204 /notes/1"];
    expect((await level1.notifications(4)).slice(1)).toEqual(seen);
    expect(await level0.notifications(3)).toEqual(seen);
  });
});
