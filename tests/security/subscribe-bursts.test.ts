import type { Socket } from "node:net";
import { test } from "vitest";
import { dial, dropAll, handshake, inBand, pour } from "./attacks.ts";
import { startServe, type Target, withstand } from "./harness.ts";

/** Connections that each pour out messages in band, as far as they are taken, and never read. */
async function flood(target: Target, count: number, messages: (peer: number) => Iterable<Buffer>): Promise<() => void> {
  const sockets: Socket[] = [];
  for (let peer = 0; peer < count; peer += 1) {
    const socket = await dial(target);
    sockets.push(socket);
    await pour(socket, [handshake(target, "/.well-known/rocket")]);
    void pour(socket, messages(peer));
  }
  // Behind it, the server has taken up what it will.
  for (let nth = 0; nth < 200; nth += 1) await (await fetch(`${target.url}${target.small}`)).text();
  return dropAll(sockets);
}

function* burst(count: number, message: (at: number) => Buffer): Generator<Buffer> {
  for (let at = 0; at < count; at += 1) yield message(at);
}

const large = `INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3)
  SELECT i, hex(zeroblob(500000)) FROM n`;

test("SUBSCRIBEs with bodies of 1 MiB keep nothing of them [R-BAND-13] [R-SEC-5]", async () => {
  const target = await startServe();
  const body = "x".repeat(1024 * 1024 - 200);
  await withstand(target, () =>
    flood(target, 8, () => burst(40, (at) => inBand("SUBSCRIBE", `/big?id=${at}`, at, body))),
  );
}, 60_000);

test("64 SUBSCRIBEs each to windows of 3 MB leave one of them unsent [R-SUB-12] [R-SEC-5]", async () => {
  const target = await startServe({}, large);
  const messages = () => burst(64, (at) => inBand("SUBSCRIBE", `/big?limit=${at + 10}`, at));
  await withstand(target, () => flood(target, 8, messages));
}, 60_000);

test("64 SUBSCRIBEs each to other filters let good clients through [R-BAND-14]", async () => {
  const rows = `INSERT INTO big WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
    SELECT i, hex(randomblob(20)) FROM n`;
  const target = await startServe({}, rows);
  const messages = (peer: number) => burst(64, (at) => inBand("SUBSCRIBE", `/big?text=none${peer}x${at}`, at));
  await withstand(target, () => flood(target, 20, messages));
}, 60_000);
