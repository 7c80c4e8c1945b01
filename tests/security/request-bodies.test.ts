import { createServer } from "node:http";
import type { Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { takenBytes } from "../../src/node/taken-bytes.ts";
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

/** An upstream that answers what has no body, and reads no body; it counts the requests with one. */
async function startDeafUpstream(): Promise<string> {
  const upstream = createServer((request, response) => {
    if (request.method === "GET") response.end("{}");
  });
  upstream.on("checkContinue", () => {});
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const address = upstream.address();
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

/** What a connection got by its end, and how many bytes of what it sent were taken. */
function ended(socket: Socket): Promise<{ readonly text: string; readonly taken: number }> {
  let text = "";
  socket.on("data", (data) => {
    text += String(data);
  });
  return new Promise((resolve) => {
    socket.on("close", () => resolve({ text, taken: takenBytes(socket) }));
    socket.resume();
  });
}

/** Sends bodies of a million one-byte chunks; each is refused before the server took more than a part of it. */
async function sendShredded(target: Target, own: readonly string[]): Promise<void> {
  const sockets = await someConnections(target, 20);
  const ends = sockets.map(ended);
  for (const socket of sockets) {
    void pour(socket, [
      head(target, "PUT", "/big/1", [...fields, ...own]),
      ...Array.from({ length: 100 }, () => manyBytes),
    ]);
  }
  // Asked behind them, and answered before they could have been read.
  expect((await fetch(`${target.url}${target.small}`)).status).toBe(200);
  for (const { text, taken } of await Promise.all(ends)) {
    expect(text).toMatch(
      /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?HTTP\/1\.1 400 [\s\S]*\r\nconnection: close\r\n[\s\S]*more than 4096 chunks/i,
    );
    expect(taken).toBeLessThan(100 * manyBytes.length);
  }
}

test("a body in thousands of tiny chunks is a 400 before it is read, and others are served [R-SEC-5]", async () => {
  const target = await startServe();
  await withstand(target, () => sendShredded(target, []).then(() => () => {}), { peakMib: 160 });
});

test.each([[[]], [["Expect: 100-continue"]], [["Trailer: X"]]])(
  "so it is at a proxy, with %j, whose upstream does not read [R-SEC-5]",
  async (own) => {
    const target = await startTarget("proxy", { upstream: await startDeafUpstream() }, "/small");
    await withstand(target, () => sendShredded(target, own).then(() => () => {}), { peakMib: 160 });
  },
);

test.each([[[]], [["Expect: 100-continue"]], [["Trailer: X"]]])(
  "a large body, with %j, passes through a proxy at the pace of its upstream [R-SEC-5]",
  async (own) => {
    const target = await startTarget("proxy", { upstream: await startDeafUpstream() }, "/small");
    const chunk = `3e8\r\n${"x".repeat(1_000)}\r\n`.repeat(1_000);
    await withstand(
      target,
      async () => {
        const sockets = await someConnections(target, 20);
        const pieces = [
          head(target, "PUT", "/small/1", [...fields, ...own]),
          ...Array.from({ length: 20 }, () => chunk),
        ];
        for (const socket of sockets) void pour(socket, pieces);
        await stuck(sockets);
        return dropAll(sockets);
      },
      { peakMib: 160 },
    );
  },
);

test.each([
  ["an unread body", "GET", "/.well-known/rocket"],
  ["a body that was too large already", "PUT", "/big/1"],
])("%s in tiny chunks ends its connection, too [R-SEC-5]", async (_what, method, path) => {
  const target = await startServe();
  const [socket] = await someConnections(target, 1);
  if (!socket) throw new Error("There is no connection.");
  const end = ended(socket);
  const large = method === "PUT" ? [`200000\r\n${"x".repeat(2 * 1024 * 1024)}\r\n`] : [];
  const pieces = Array.from({ length: 300 }, () => manyBytes);
  void pour(socket, [head(target, method, path, fields), ...large, ...pieces]);
  const { text, taken } = await end;
  // A reset, which what was not read brings about, may take the answer along (RFC 9112 §9.6).
  expect(text).toMatch(method === "PUT" ? /^(?:HTTP\/1\.1 413 |$)/ : /^(?:HTTP\/1\.1 200 |$)/);
  expect(taken).toBeLessThan(300 * manyBytes.length);
});

test("a body in 4,096 tiny chunks is taken, and one in more of them that hold 64 bytes on average [R-SEC-5]", async () => {
  const target = await startServe();
  const [few, many] = await someConnections(target, 2);
  if (!few || !many) throw new Error("There is no connection.");
  const open = inBytes('{"text":"');
  const close = `${inBytes('"}')}0\r\n\r\n`;
  const rest = inBytes("x".repeat(4_096 - 11));
  await pour(few, [head(target, "PUT", "/big/1", fields), open, rest, close]);
  expect(await answered(few)).toMatch(/^HTTP\/1\.1 201 /);
  const large = `1000\r\n${"x".repeat(4_096)}\r\n`.repeat(100);
  await pour(many, [head(target, "PUT", "/big/2", fields), open, large, rest, inBytes("y".repeat(1_000)), close]);
  expect(await answered(many)).toMatch(/^HTTP\/1\.1 201 /);
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
