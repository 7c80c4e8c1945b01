import { expect, onTestFinished, test } from "vitest";
import { createHub } from "../../../src/server/index.ts";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { serve } from "./service.ts";

const long = `'x' || hex(zeroblob(40000))`;

async function start(sql: string) {
  const clock = createFakeClock();
  const { scaffold, other, send } = await serve(sql, { clock });
  const { origin, journal, derived } = scaffold;
  const hub = createHub({ origin, derived, clock, ...(journal ? { journal } : {}) });
  onTestFinished(() => void hub.close(0));
  const statuses: number[] = [];
  const follow = async (target: string): Promise<Replica> => {
    const replica = new Replica(target);
    await connectMemoryPeer(hub, target, {
      fields: [["Host", "example.com"]],
      onMessage: (message) => {
        statuses.push(message.status);
        replica.take(message);
      },
    });
    await clock.advance(1_500);
    return replica;
  };
  const shown = async (target: string) =>
    ((await send("GET", target)).json as { t: { url: string }[] }).t.map(({ url }) => url);
  return { clock, other, follow, shown, statuses };
}

test.each([
  ["a pattern", "/t?body=like.x*"],
  ["a pattern that it is not like", "/t?body=not.like.*x*"],
  ["a range", "/t?body=gte.x"],
  ["a range that it is not in", "/t?body=lt.x"],
  ["being NULL", "/t?body=is.null"],
  ["not being NULL", "/t?body=is.not_null"],
  ["inequality", "/t?body=neq.y"],
  ["alternatives", "/t?or=(body.eq.y,body.is.null)"],
])("A view by %s is as its GET while long texts come, change and go", async (_what, target) => {
  const { clock, other, follow, shown, statuses } = await start(
    `CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO t VALUES (1, ${long}), (2, ${long}), (3, 'y'), (4, NULL)`,
  );
  const replica = await follow(target);
  const changes = [
    `UPDATE t SET body = 'y' WHERE id = 1`,
    `UPDATE t SET body = ${long} WHERE id = 3`,
    `DELETE FROM t WHERE id = 2`,
    `UPDATE t SET body = NULL WHERE id = 3`,
    `UPDATE t SET body = ${long} WHERE id = 4`,
    `DELETE FROM t WHERE id = 4`,
    `DELETE FROM t WHERE id = 3`,
  ];
  for (const change of changes) {
    other.exec(change);
    await clock.advance(400);
    expect([change, replica.order]).toEqual([change, await shown(target)]);
  }
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(1);
});

test("A view by a column that has no long texts is told of each change, and no 200", async () => {
  const { clock, other, follow, shown, statuses } = await start(
    "CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO t VALUES (1, 'a'), (2, NULL)",
  );
  const replica = await follow("/t?body=is.null");
  for (const change of ["DELETE FROM t WHERE id = 2", "UPDATE t SET body = NULL", "DELETE FROM t"]) {
    other.exec(change);
    await clock.advance(400);
    expect(replica.order).toEqual(await shown("/t?body=is.null"));
  }
  expect(statuses.filter((status) => status !== 304)).toEqual([200, 204, 201, 204]);
});
