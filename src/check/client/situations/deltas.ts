import { demand, skip } from "../../fault.ts";
import type { Situation, Stage } from "../stage.ts";
import type { Row, Visit } from "../visit.ts";
import { messageWays } from "../way.ts";

const soonMs = 2_000;

async function asked(stage: Stage): Promise<Visit> {
  const visit = await stage.firstOfLevel1();
  if (!visit.takesDeltas) skip("The client does not ask for deltas.");
  visit.open();
  return visit;
}

const first: Row = { id: 2, name: "two", at: { x: 1, y: 2 }, tags: ["a", "b"], note: null, "": 0 };
const second: Row = { id: 2, name: "two, changed", at: { x: 1, z: { w: 3 } }, tags: [null], note: "n" };
const toSecond = { name: "two, changed", at: { y: null, z: { w: 3 } }, tags: [null], note: "n", "": null };
const odd: Row = JSON.parse(
  '{"id":2,"name":"two, changed","at":{"x":1,"z":{"w":3}},"tags":[null],"note":"n","__proto__":{"v":1}}',
);

/** What clients that ask for deltas make of them. */
export const deltaSituations: readonly Situation[] = [
  {
    name: "deltas",
    requirement: "R-DELTA-3",
    title: "applies deltas as RFC 7396 says, to rows of the snapshot and one after another",
    ways: messageWays,
    rows: [{ id: 1, name: "one" }, first],
    play: async (stage) => {
      const visit = await asked(stage);
      visit.tellDelta({ id: 1, name: "1" }, { name: "1" }, ['"1a"', '"1b"']);
      visit.tellDelta(second, toSecond, ['"2a"', '"2b"']);
      visit.tellDelta(odd, JSON.parse('{"__proto__":{"v":1}}'), ['"2b"', '"2c"']);
      await stage.settle(visit.link);
    },
  },
  {
    name: "delta-for-another-tag",
    requirement: "R-DELTA-8",
    title: "does not apply a delta for another tag than it has, and subscribes anew where it was before",
    ways: messageWays,
    play: async (stage) => {
      const visit = await asked(stage);
      visit.tell(202, { id: 2, name: "two", v: 1 }, true, [["ETag", '"b"']]);
      const before = stage.position;
      visit.tellDelta({ id: 2, name: "other", v: 3 }, { v: 3 }, ['"c"', '"d"']);
      const again = await stage.visit(soonMs, "A new subscription.");
      const isRight = again.lastEventId === undefined || again.lastEventId === before;
      demand(isRight, `Last-Event-ID: ${before}, or none.`, `It is ${again.lastEventId}.`);
      again.open();
      await stage.settle(again.link);
    },
  },
  {
    name: "delta-for-nothing",
    requirement: "R-DELTA-8",
    title: "does not apply a delta for a record that it does not have, and subscribes anew",
    ways: messageWays,
    play: async (stage) => {
      const visit = await asked(stage);
      visit.tellDelta({ id: 9, name: "nine", v: 2 }, { v: 2 }, ['"a"', '"b"']);
      const again = await stage.visit(soonMs, "A new subscription.");
      again.open();
      await stage.settle(again.link);
    },
  },
];
