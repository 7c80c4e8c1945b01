import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { answered, dial, dropAll, head, pour, stuck } from "./attacks.ts";
import { startServe, startTarget, type Target, withstand } from "./harness.ts";

const fields = ["Content-Type: application/json", "Transfer-Encoding: chunked"];

/** A text as chunks of one byte each. */
function inBytes(text: string): string {
  return Array.from(text, (letter) => `1\r\n${letter}\r\n`).join("");
}

const manyBytes = inBytes("x".repeat(10_000));
const someConnections = (target: Target, count: number) =>
  Promise.all(Array.from({ length: count }, () => dial(target)));

test("bodies of one-byte chunks cost about what they hold, and are taken [R-SEC-5]", async () => {
  const target = await startServe();
  await withstand(
    target,
    async () => {
      const sockets = await someConnections(target, 4);
      const body = [inBytes('{"text":"'), ...Array.from({ length: 40 }, () => manyBytes), `${inBytes('"}')}0\r\n\r\n`];
      const put = async (socket: (typeof sockets)[number], at: number) => {
        await pour(socket, [head(target, "PUT", `/big/${at}`, fields), ...body]);
        return answered(socket);
      };
      for (const answer of await Promise.all(sockets.map(put))) expect(answer).toMatch(/^HTTP\/1.1 201 /);
      return dropAll(sockets);
    },
    { peakMib: 160 },
  );
});

test("bodies of one-byte chunks pass through a proxy at the pace of its upstream [R-SEC-5]", async () => {
  const upstream = createServer((request, response) => {
    // A body is never read.
    if (request.method === "GET") response.end("{}");
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const address = upstream.address();
  const port = typeof address === "object" ? address?.port : 0;
  const target = await startTarget("proxy", { upstream: `http://127.0.0.1:${port}` }, "/small");
  await withstand(
    target,
    async () => {
      const sockets = await someConnections(target, 4);
      const pieces = [head(target, "PUT", "/small/1", fields), ...Array.from({ length: 100 }, () => manyBytes)];
      for (const socket of sockets) void pour(socket, pieces);
      await stuck(sockets);
      return dropAll(sockets);
    },
    { peakMib: 160 },
  );
});

test("more bodies than there is room for are refused with 503 and Retry-After, and small ones are taken [R-SEC-5]", async () => {
  const target = await startServe();
  await withstand(target, async () => {
    const length = 1024 * 1024;
    const open = [head(target, "PUT", "/small/1", ["Content-Type: application/json", `Content-Length: ${length}`])];
    const sockets = await someConnections(target, 100);
    await Promise.all(sockets.map((socket) => pour(socket, [...open, Buffer.alloc(length - 1, 0x20)])));
    const refused = async () => {
      const answer = await fetch(`${target.url}/small/1`, { method: "PUT", body: "y".repeat(100_000) });
      return [answer.status, answer.headers.get("retry-after")];
    };
    await expect.poll(refused).toEqual([503, "1"]);
    const small = await fetch(`${target.url}/small/1`);
    expect(small.status).toBe(200);
    return dropAll(sockets);
  });
});
