import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { dial, dropAll, head, pour } from "./attacks.ts";
import { startServe, startTarget, type Target, withstand } from "./harness.ts";

const fields = ["Content-Type: application/json", "Transfer-Encoding: chunked"];
const manyBytes = Buffer.from("1\r\nx\r\n".repeat(10_000));

/** 8 connections that each send 600 kB in chunks of one byte, never to end it. */
async function sendBytes(target: Target): Promise<() => void> {
  const sockets = await Promise.all(Array.from({ length: 8 }, () => dial(target)));
  const pourAll = (socket: (typeof sockets)[number]) =>
    pour(socket, [head(target, "PUT", "/small/1", fields), ...Array.from({ length: 60 }, () => manyBytes)]);
  await Promise.all(sockets.map(pourAll));
  return dropAll(sockets);
}

test("bodies of one-byte chunks cost about what they hold [R-SEC-5]", async () => {
  const target = await startServe();
  await withstand(target, () => sendBytes(target), { peakMib: 160 });
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
      const sockets = await Promise.all(Array.from({ length: 16 }, () => dial(target)));
      for (const socket of sockets) {
        const pieces = Array.from({ length: 100 }, () => manyBytes);
        void pour(socket, [head(target, "PUT", "/small/1", fields), ...pieces]);
      }
      await expect.poll(() => sockets.some(({ writableLength }) => writableLength > 0)).toBe(true);
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
    const sockets = await Promise.all(Array.from({ length: 100 }, () => dial(target)));
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
