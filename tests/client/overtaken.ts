import type { StoredRow } from "../../src/testing/index.ts";
import { columns, isLevel1, own } from "./interferences.ts";
import type { World } from "./world.ts";

/** What somebody may do to a record right after it was written here, so that no look shows what was written. */
export const overtakings: Readonly<
  Record<string, (world: World, name: string, id: number, before?: StoredRow) => void>
> = {
  move: ({ service }, name, id) => {
    const row = service.rows(name).find((one) => one.id === id);
    service.write([{ name, id, columns: { color: row?.color === "red" ? "blue" : "red", size: 5 } }]);
  },
  destroy: ({ service }, name, id) => service.write([{ name, id }]),
  "destroy and create again": (world, name, id) => {
    world.service.write([{ name, id }]);
    world.service.write([{ name, id, columns: columns(world) }]);
  },
  "change once more": (world, name, id) => world.service.write([{ name, id, columns: columns(world) }]),
  "change back": ({ service }, name, id, before) => service.restore(name, id, before),
};

/**
 * Has somebody overtake the next own write that is carried out.
 *
 * @param ofAll - whether of creates, too: where the answer to one is lost, what overtook it is shown by its own URL first
 */
export function overtakeNext(world: World, ofAll = false): void {
  const some = world.random.pick(Object.values(overtakings));
  const overtake: typeof some = (...done) => void ((ofAll || done[3]) && some(...done));
  world.service.overtakings.push((name, id, before) => overtake(world, name, id, before));
}

/** Writes here, and has it overtaken. */
function writeOvertaken(world: World): void {
  const { random, service } = world;
  own(world, (list) => {
    const row = list.shown.length === 0 ? undefined : random.pick(list.shown);
    const url = row && list.urlOf(row);
    const canWrite = url !== undefined && !/^urn:|#|^$/.test(url);
    const way = canWrite ? random.pick(["create", "update", "destroy"]) : "create";
    if (way === "destroy" && world.writes.some(({ tag }) => tag === `destroy ${url}`)) return;
    if (random.chance(0.8)) overtakeNext(world, true);
    const values = columns(world);
    if (way === "create") world.write((tag) => list.collection.create({ ...values, tag }), { list });
    else if (way === "update") world.write((tag) => list.collection.update(row as never, { ...values, tag } as never));
    else world.write(() => list.collection.destroy(row as never), { name: `destroy ${url}`, list });
    if (random.chance(0.3)) service.write([{ name: "a", columns: columns(world) }]);
  });
}

/** Lets own writes be overtaken, where nothing else disturbs, and waits as long as what is shown may take to be right. */
export async function overtake(world: World): Promise<void> {
  const { random, clock } = world;
  world.latencyMs = () => random.below(5);
  for (let count = 1 + random.below(6); count > 0; count -= 1) {
    writeOvertaken(world);
    await clock.advance(random.pick([0, 1, 30, 700, 1_500]));
    world.check();
  }
  world.service.overtakings.length = 0;
  // Where nothing tells of changes, the next look does; at Level 0 a state that lay between is looked for in the first silence.
  await clock.advance(world.hasNoSockets ? 7_000 : isLevel1(world) ? 5_000 : 45_000);
  world.check();
}
