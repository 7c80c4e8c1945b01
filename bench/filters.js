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

/** A hub with so many subscribers, each to the songs of another album. */
class Subscribers {
  #clock = new ManualClock();
  #journal = createMemoryJournal();
  #count;
  #albums;
  #step = 0;

  constructor(count) {
    this.#count = count;
    this.#albums = Array.from({ length: count }, (_, n) => n);
  }

  async open() {
    const origin = async ({ target }) => {
      const equals = [["album_id", Number(target.split("=")[1])]];
      const view = { ...this.#journal.head, url: target, collection: "/songs", equals };
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

async function subscribers(count) {
  const made = new Subscribers(count);
  await made.open();
  return () => made.run();
}

/** CPU of a change that touches one or two of 100,000 filtered subscriptions, against one that touches so many of 100. */
export async function run({ pairs = 15, progress }) {
  const hundred = await subscribers(few);
  const hundredAgain = await subscribers(few);
  const thousands = await subscribers(many);
  global.gc?.();
  progress("3 hubs: 100, 100 and 100,000 filtered subscriptions");
  const rows = [];
  const add = async (row) => {
    rows.push({ ...(await comparePairs({ pairs, warmups: 4, ...row })), goal: row.goal, unit: "ns CPU per change" });
    progress(rows.at(-1));
  };
  await add({ name: "control, a change: 100 subscriptions, twice", a: hundredAgain, b: hundred });
  await add({ name: "a change against 100,000 subscriptions / 100", a: thousands, b: hundred, goal: 2 });
  return rows;
}
