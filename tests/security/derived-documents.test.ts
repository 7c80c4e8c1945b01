import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startTarget, type Target, withstand } from "./harness.ts";

const subscriptions = 80;
const each = 16;

async function startAttach(): Promise<Target> {
  return startTarget("attach", {}, "/rows/1");
}

async function startProxy(): Promise<Target> {
  const row = "x".repeat(1_000);
  const rows = Array.from({ length: 1_000 }, (_, id) => ({ id, row }));
  const upstream = createServer((request, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(JSON.stringify(request.url === "/rows/1" ? { rows: [] } : { url: request.url, rows }));
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const { port } = upstream.address() as AddressInfo;
  return startTarget("proxy", { upstream: `http://127.0.0.1:${port}` }, "/rows/1");
}

/** Subscribes to so many queries on one connection, one after another; gives the statuses of the answers. */
async function subscribe(target: Target, connection: number): Promise<{ socket: WebSocket; statuses: Set<string> }> {
  const socket = new WebSocket(`${target.url.replace("http", "ws")}/.well-known/rocket`, ["rocket.v1"]);
  onTestFinished(() => socket.terminate());
  const statuses = new Set<string>();
  let answered = (): void => {};
  let failed = (_: Error): void => {};
  socket.on("close", () => failed(new Error("The connection was closed.")));
  socket.on("message", (data: Buffer) => {
    const head = data.subarray(0, 2_000).toString();
    if (!/^Request-ID:/im.test(head)) return;
    statuses.add(head.slice(9, 12));
    answered();
  });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  for (let id = 0; id < each; id += 1) {
    const answer = new Promise<void>((resolve, reject) => {
      answered = resolve;
      failed = reject;
    });
    socket.send(`SUBSCRIBE /rows/1000?q=${connection * each + id} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n`);
    await answer;
  }
  return { socket, statuses };
}

test.each([
  ["attach, all the same,", startAttach, 40],
  ["a proxy, each another one,", startProxy, 60],
])(
  "80 subscriptions of a megabyte each through %s are kept once, or bounded with 429 and 503 [R-SEC-5]",
  async (_, start, heldMib) => {
    const target = await start();
    await withstand(
      target,
      async () => {
        const sockets: WebSocket[] = [];
        for (let connection = 0; connection < subscriptions / each; connection += 1) {
          const { socket, statuses } = await subscribe(target, connection);
          for (const status of statuses) expect(["200", "429", "503"]).toContain(status);
          sockets.push(socket);
        }
        return () => {
          for (const socket of sockets) socket.terminate();
        };
      },
      { heldMib, peakMib: 240 },
    );
  },
);
