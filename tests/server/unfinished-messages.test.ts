import { expect, it } from "vitest";
import type { Connection } from "../../src/server/index.ts";
import { createWorld, type World } from "./fixture.ts";

const kib = 1024;

/** A connection whose transport tells what of a message has come, and what it is closed with. */
function connect({ hub }: World): { readonly connection: Connection; readonly codes: number[] } {
  const codes: number[] = [];
  const connection = hub.connect(
    {
      framing: { frame: () => new Uint8Array() },
      ...{ unsentBytes: 0, takenBytes: 0 },
      write: () => {},
      ping: () => {},
      close: (code) => codes.push(code),
      abort: () => codes.push(1006),
      setReading: () => {},
    },
    { level: 1, target: "/a", fields: [["Host", "example.com"]] },
  );
  return { connection, codes };
}

it("a message that is not whole in 30 s ends its connection with 1008 [R-SEC-5]", async () => {
  const world = createWorld();
  const { connection, codes } = connect(world);
  connection.receiving(1);
  await world.clock.advance(20_000);
  connection.receiving(2);
  await world.clock.advance(9_000);
  expect(codes).toEqual([]);
  await world.clock.advance(2_000);
  expect(codes).toEqual([1008]);
  expect(world.hub.counts.connections).toBe(0);
});

it("each message has a time of its own, and none has one while nobody reads [R-SEC-5]", async () => {
  const answers: (() => void)[] = [];
  const world = createWorld({
    limits: { maxOutstandingRequests: 1, originTimeoutMs: 200_000 },
    around: (origin) => async (request) => {
      const isHeld = request.target === "/b";
      if (isHeld) await new Promise<void>((resolve) => answers.push(resolve));
      return origin(request);
    },
  });
  const { connection, codes } = connect(world);
  for (let round = 0; round < 5; round += 1) {
    connection.receiving(10);
    await world.clock.advance(20_000);
    connection.receiving(0);
  }
  connection.receive("SUBSCRIBE /b HTTP/1.1\r\nRequest-ID: 1\r\n\r\n");
  connection.receiving(10);
  await world.clock.advance(100_000);
  expect(answers).toHaveLength(1);
  for (const answer of answers) answer();
  await world.clock.advance(20_000);
  expect(codes).toEqual([]);
  await world.clock.advance(12_000);
  expect(codes).toEqual([1008]);
});

it("what has come of messages counts among what is held, and beyond it is a 4503 [R-SEC-5] [R-CLOSE-6]", async () => {
  const world = createWorld({ limits: { maxHeldBytes: kib * kib } });
  const [first, second, small] = [connect(world), connect(world), connect(world)];
  first.connection.receiving(600 * kib);
  second.connection.receiving(300 * kib);
  expect(world.hub.held.used).toBe(900 * kib);
  second.connection.receiving(500 * kib);
  small.connection.receiving(10 * kib);
  expect([first.codes, second.codes, small.codes]).toEqual([[], [4503], []]);
  expect(world.hub.held.used).toBe(600 * kib);
  first.connection.receiving(0);
  expect(world.hub.held.used).toBe(0);
  first.connection.receiving(600 * kib);
  first.connection.closed();
  first.connection.receiving(600 * kib);
  expect(world.hub.held.used).toBe(0);
});
