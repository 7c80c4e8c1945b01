import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createServer } from "../../src/node/index.ts";
import { takenBytes } from "../../src/node/taken-bytes.ts";
import { createProxy } from "../../src/proxy/index.ts";
import { createFakeClock, type FakeClock } from "../../src/testing/index.ts";

const body = "x".repeat(48 * 1024 * 1024);
const stallTimeoutMs = 60_000;
const limits = { stallTimeoutMs, maxHeldBytes: 1024 ** 3 };

interface Pair {
  readonly clock: FakeClock;
  /** The peer's end, which does not read. */
  readonly peer: Socket;
  /** The server's end. */
  readonly socket: Socket;
}

type Hosted = ReturnType<typeof createServer>;

/** A peer that has asked for a large answer, which the server has begun to write. */
async function ask(host: Hosted, clock: FakeClock): Promise<Pair> {
  const { port } = await host.listen(0);
  onTestFinished(() => host.close());
  const connected = once(host.server, "connection");
  const peer = connect(port, "127.0.0.1");
  onTestFinished(() => void peer.destroy());
  peer.on("error", () => {});
  peer.pause();
  peer.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  const [socket] = (await connected) as [Socket];
  await untilStill(socket);
  return { clock, peer, socket };
}

/** Resolves once the system takes no more of what is unsent. */
async function untilStill(socket: Socket): Promise<void> {
  let before = Number.NaN;
  await expect
    .poll(
      () => {
        const now = takenBytes(socket);
        const isStill = socket.writableLength > 0 && now === before;
        before = now;
        return isStill;
      },
      { interval: 100 },
    )
    .toBe(true);
}

/** Reads some megabytes, more than the system itself keeps, and stops again. */
async function read(peer: Socket): Promise<void> {
  let bytes = 0;
  await new Promise<void>((resolve) => {
    const take = (data: Buffer) => {
      bytes += data.length;
      if (bytes < 16 * 1024 * 1024) return;
      peer.off("data", take).pause();
      resolve();
    };
    peer.on("data", take).resume();
  });
}

function serve(): Promise<Pair> {
  const clock = createFakeClock(1);
  const origin = async () => ({ status: 200, fields: [], body });
  return ask(createServer({ origin, clock, limits }), clock);
}

async function proxy(): Promise<Pair> {
  const clock = createFakeClock(1);
  const upstream = createServer({ origin: async () => ({ status: 200, fields: [], body }) });
  const { port } = await upstream.listen(0);
  onTestFinished(() => upstream.close());
  return ask(createProxy({ upstream: `http://127.0.0.1:${port}`, clock, limits }), clock);
}

test.each([
  ["a server's", serve],
  ["a proxy's", proxy],
])("A peer that stops reading %s answer is dropped after the timeout, and not before [R-SEC-5]", async (_, start) => {
  const { clock, socket } = await start();
  await clock.advance(stallTimeoutMs - 1_000);
  expect(socket.destroyed).toBe(false);
  await clock.advance(3_000);
  expect(socket.destroyed).toBe(true);
});

test("A peer that reads a little from time to time keeps its connection [R-SEC-5]", async () => {
  const { clock, peer, socket } = await serve();
  await clock.advance(stallTimeoutMs - 1_000);
  await read(peer);
  await untilStill(socket);
  await clock.advance(stallTimeoutMs - 1_000);
  expect(socket.destroyed).toBe(false);
  await clock.advance(3_000);
  expect(socket.destroyed).toBe(true);
});

test("A connection without anything unsent is left alone [R-SEC-5]", async () => {
  const clock = createFakeClock(1);
  const host = createServer({ origin: async () => ({ status: 200, fields: [], body: "" }), clock });
  const { port } = await host.listen(0);
  onTestFinished(() => host.close());
  const connected = once(host.server, "connection");
  const peer = connect(port, "127.0.0.1");
  onTestFinished(() => void peer.destroy());
  const [socket] = (await connected) as [Socket];
  await clock.advance(10 * stallTimeoutMs);
  expect(socket.destroyed).toBe(false);
});
