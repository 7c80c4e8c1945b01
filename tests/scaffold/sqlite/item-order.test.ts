import { describe, expect, onTestFinished, test } from "vitest";
import { createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { serve } from "./service.ts";

async function start() {
  const clock = createFakeClock();
  const service = await serve("CREATE TABLE birds (id INTEGER PRIMARY KEY)", { clock });
  const { origin, journal, derived } = service.scaffold;
  const hub = createHub({ origin, derived, clock, ...(journal ? { journal } : {}) });
  onTestFinished(() => void hub.close(0));
  const follow = async (target: string): Promise<Replica> => {
    const replica = new Replica(target);
    await connectMemoryPeer(hub, target, {
      fields: [["Host", "example.com"]],
      onMessage: (message) => replica.take(message),
    });
    await clock.advance(100);
    return replica;
  };
  return { ...service, clock, follow };
}

describe("A list whose order its JSON does not tell", () => {
  test.each([
    ["a text in a BLOB column", "BLOB", "/t?order=x", ["'b'", "x'00'", "3"]],
    ["bytes in a TEXT column", "TEXT", "/t?order=x", ["x'ff'", "'a'", "x'3e'"]],
    ["bytes in a BOOLEAN column", "BOOLEAN", "/t?order=x.desc", ["x'ff'", "1", "0"]],
    ["a column without a type", "", "/t?order=x", ["18014398509481985", "'2'", "3"]],
    ["a JSON column", "JSON", "/t?order=x", ["'{}'", "'[1]'", "3"]],
  ])("is in the order of the GET: %s [R-FLD-5]", async (_what, declared, target, values) => {
    const world = await start();
    world.other.exec(`CREATE TABLE t (x ${declared}); INSERT INTO t VALUES (${values[0]})`);
    // Its triggers are made once nothing more comes.
    await world.clock.advance(1_500);
    const replica = await world.follow(target);
    for (const value of values.slice(1)) {
      world.other.exec(`INSERT INTO t VALUES (${value})`);
      await world.clock.advance(400);
      const answer = await world.send("GET", target);
      expect(replica.order).toEqual((answer.json as { t: { url: string }[] }).t.map(({ url }) => url));
      for (const { field, view } of [answer, await world.send("HEAD", target)]) {
        expect([field("Item-Order"), field("Event-ID"), view]).toEqual([undefined, undefined, undefined]);
      }
    }
  });

  test("is one of those alone that its filter lets through", async () => {
    const { send, other } = await start();
    other.exec("CREATE TABLE t (x TEXT, n INTEGER); INSERT INTO t VALUES ('a', 1), (x'ff', 2)");
    for (const method of ["GET", "HEAD"]) {
      const order = async (target: string) => (await send(method, target)).field("Item-Order");
      expect(await order("/t?n=1&order=x")).toBe("x.asc,rowid.asc-number");
      expect(await order("/t?n=2&order=x")).toBeUndefined();
    }
  });
});
