import type { Socket } from "node:net";
import { test } from "vitest";
import { dial, dropAll, handshake, head, pour } from "./attacks.ts";
import { startServe, type Target, withstand } from "./harness.ts";

/** Peers are dropped after a second without progress while the room is used up, and after twelve otherwise. */
const limits = { stallTimeoutMs: 12_000 };
const rows = (count: number, bytes: number) =>
  `INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
   SELECT i, hex(zeroblob(${bytes / 2})) FROM n`;

/** Peers that each send something and never read; they come one after another. */
async function sendWithoutReading(target: Target, count: number, sent: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let peer = 0; peer < count; peer += 1) {
    const socket = await dial(target);
    await pour(socket, [sent]);
    sockets.push(socket);
    // Behind it, the server has taken it up.
    await fetch(`${target.url}${target.small}`).then((answer) => answer.text());
  }
  return sockets;
}

test("peers that never read their answers hold bounded memory, and are dropped [R-SEC-5]", async () => {
  const target = await startServe({ limits }, rows(8, 1_000_000));
  let sockets: Socket[] = [];
  await withstand(
    target,
    async () => {
      sockets = await sendWithoutReading(target, 16, head(target, "GET", "/big"));
      // They stay: it is the server that ends it.
      return () => {};
    },
    { heldMib: 80, peakMib: 200 },
  );
  dropAll(sockets)();
});

test("followers that never read hold bounded memory, and are dropped [R-SEC-5] [R-SUB-12]", async () => {
  const target = await startServe({ limits }, rows(7, 1_000_000));
  let sockets: Socket[] = [];
  await withstand(
    target,
    async () => {
      sockets = await sendWithoutReading(target, 20, handshake(target, "/big"));
      return () => {};
    },
    { heldMib: 80, peakMib: 200 },
  );
  dropAll(sockets)();
});
