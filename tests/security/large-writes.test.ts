import { statSync } from "node:fs";
import Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startServe, type Target, withstand } from "./harness.ts";

const mib = 1024 * 1024;
const json = { "Content-Type": "application/json" };

/** A body of about a megabyte, another one for each number. */
function body(number: number): string {
  return JSON.stringify({ text: String(number).padEnd(mib - 100, "x") });
}

async function put({ url }: Target, id: number, number: number, fields: Record<string, string> = {}): Promise<number> {
  const headers = { ...json, ...fields };
  const answer = await fetch(`${url}/big/${id}`, { method: "PUT", headers, body: body(number) });
  await answer.arrayBuffer();
  return answer.status;
}

/** Someone who follows a URL, and reads. */
async function follow({ url }: Target, path: string): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, ["rocket.v1"]);
  onTestFinished(() => socket.terminate());
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  return socket;
}

/** What the database's files hold. */
function fileMib(path: string): number {
  return ["", "-wal"].reduce((sum, end) => sum + (statSync(path + end, { throwIfNoEntry: false })?.size ?? 0), 0) / mib;
}

test("60 PUTs of a megabyte, of which someone is told, are kept as changes by their bytes [R-SEC-5]", async () => {
  const target = await startServe();
  await withstand(target, async () => {
    const follower = await follow(target, "/big");
    for (let number = 0; number < 60; number += 3) {
      const puts = [0, 1, 2].map((id) => put(target, id, number + id));
      for (const status of await Promise.all(puts)) expect(status).toBeLessThan(300);
    }
    return () => follower.terminate();
  });
});

test("a transaction of 60 MB by another program is told by a fresh 200 [R-SEC-5] [R-SUB-1]", async () => {
  const target = await startServe();
  const writer = new Database(target.path);
  onTestFinished(() => void writer.close());
  await withstand(target, async () => {
    const follower = await follow(target, "/big?order=id");
    const fresh = new Promise<string>((resolve) => {
      follower.on("message", (data: Buffer) => {
        const message = data.subarray(0, 2_000).toString();
        if (/^HTTP\/1.1 (?!304)/.test(message) && !message.includes('"big":[]')) resolve(message.slice(9, 12));
      });
    });
    // A statement takes no write lock from those who read.
    writer.exec(`INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
      SELECT i, hex(zeroblob(500000)) FROM n`);
    expect(await fresh).toBe("200");
    return () => follower.terminate();
  });
});

test("a collection of 260 rows of a megabyte is answered in pages that end by bytes [R-SEC-5]", async () => {
  const rows = `INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 260)
    SELECT i, hex(zeroblob(500000)) FROM n`;
  const target = await startServe({}, rows);
  await withstand(target, async () => {
    for (let reader = 0; reader < 8; reader += 1) {
      const answer = await fetch(`${target.url}/big`);
      expect((await answer.arrayBuffer()).byteLength).toBeLessThan(8 * mib + 1_000);
      expect(answer.headers.get("link")).toMatch(/^<\/big\?offset=8>; rel="next"/);
    }
    return () => {};
  });
});

test("keyed PUTs of a megabyte add one copy to the file, and the oldest changes make room [R-SEC-5]", async () => {
  const target = await startServe({ scaffold: { retention: { maxBytes: 4 * mib } } });
  await withstand(target, async () => {
    for (let number = 0; number < 8; number += 1) {
      expect(await put(target, 1, number, { "Idempotency-Key": `"k${number}"` })).toBeLessThan(300);
    }
    const before = fileMib(target.path);
    for (let number = 8; number < 24; number += 1) {
      expect(await put(target, 1, number, { "Idempotency-Key": `"k${number}"` })).toBe(200);
    }
    expect(fileMib(target.path) - before).toBeLessThan(20);
    return () => {};
  });
});
