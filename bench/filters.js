import { createHub, createMemoryJournal } from "../dist/server/index.js";
import { CountingTransport, ManualClock } from "./in-process.js";
import { comparePairs } from "./pairs.js";
import { song } from "./payload.js";

const few = 100;
const many = 100_000;
const changes = 3_000;
/** Every fourth change moves its record from one value to the next, so that it leaves one view and enters another. */
const moveEvery = 4;
/** A step through the values that comes to all of them and to none twice in a row. */
const stride = 7_919;

/** What a subscriber asks for: one value, or a range that has one. */
const filters = {
  equality: (n) => ({ equals: [["album_id", n]] }),
  ranges: (n) => ({
    equals: [],
    filter: {
      kind: "and",
      parts: [
        { kind: "compare", column: "album_id", relation: "gte", literal: n },
        { kind: "compare", column: "album_id", relation: "lt", literal: n + 1 },
      ],
    },
  }),
};

/** A hub with so many subscribers, each to the songs of another album. */
class Subscribers {
  #clock = new ManualClock();
  #journal = createMemoryJournal();
  #count;
  #albums;
  #step = 0;
  #filterOf;

  constructor(count, filterOf) {
    this.#count = count;
    this.#filterOf = filterOf;
    this.#albums = Array.from({ length: count }, (_, n) => n);
  }

  async open() {
    const origin = async ({ target }) => {
      const filter = this.#filterOf(Number(target.split("=")[1]));
      const view = { ...this.#journal.head, url: target, collection: "/songs", ...filter };
      return { status: 200, fields: [["Content-Type", "application/json"]], body: '{"songs":[]}', view };
    };
    const hub = createHub({
      origin,
      journal: this.#journal,
      clock: this.#clock,
      limits: { maxConnections: many },
    });
    const fields = [["Host", "127.0.0.1:8080"]];
    for (let n = 0; n < this.#count; n += 1) {
      hub.connect(new CountingTransport(), { level: 1, target: `/songs?album_id=${n}`, fields });
    }
    // One opening begins in each turn.
    for (let n = 0; n <= this.#count; n += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#clock.endTurn();
    }
    if (hub.counts.views !== this.#count) throw new Error(`there are ${hub.counts.views} views, not ${this.#count}`);
  }

  /** Nanoseconds for each of many changes, one per turn, from the commit to the write. */
  run() {
    const before = CountingTransport.written;
    const start = process.cpuUsage();
    for (let n = 0; n < changes; n += 1) this.#change();
    const { user, system } = process.cpuUsage(start);
    const writes = CountingTransport.written - before;
    const expected = changes + changes / moveEvery;
    if (writes !== expected) throw new Error(`${writes} writes, not ${expected}`);
    return ((user + system) * 1_000) / changes;
  }

  #change() {
    const n = ++this.#step;
    const id = (n * stride) % this.#count;
    const row = { ...song(n), id, url: `/songs/${id}`, album_id: this.#albums[id] };
    const isMove = n % moveEvery === 0;
    const after = isMove ? { ...row, album_id: (row.album_id + 1) % this.#count } : row;
    this.#albums[id] = after.album_id;
    this.#journal.commit([{ kind: "update", collection: "/songs", url: row.url, before: row, after }]);
    this.#clock.endTurn();
  }
}

async function subscribers(count, filterOf) {
  const made = new Subscribers(count, filterOf);
  await made.open();
  return () => made.run();
}

/** CPU of a change that touches one or two of 100,000 filtered subscriptions, against one that touches so many of 100. */
export async function run({ pairs = 15, progress }) {
  const rows = [];
  for (const [kind, goal] of [
    ["equality", 2],
    ["ranges", 2],
  ]) {
    const hundred = await subscribers(few, filters[kind]);
    const hundredAgain = await subscribers(few, filters[kind]);
    const thousands = await subscribers(many, filters[kind]);
    global.gc?.();
    progress(`3 hubs: 100, 100 and 100,000 subscriptions filtered by ${kind}`);
    const add = async (row) => {
      const compared = await comparePairs({ pairs, warmups: 4, ...row });
      rows.push({ ...compared, goal: row.goal, unit: "ns CPU per change" });
      progress(rows.at(-1));
    };
    await add({ name: `control, a change, ${kind}: 100 subscriptions, twice`, a: hundredAgain, b: hundred });
    await add({ name: `a change against 100,000 subscriptions, ${kind} / 100`, a: thousands, b: hundred, goal });
  }
  return rows;
}
