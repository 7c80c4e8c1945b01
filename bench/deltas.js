import { createHash } from "node:crypto";
import { createHub, createMemoryJournal } from "../dist/server/index.js";
import { CountingTransport, ManualClock } from "./in-process.js";
import { comparePairs } from "./pairs.js";
import { song } from "./payload.js";

const changes = 500;
const target = "/songs";
const asking = ["Accept", "application/json, application/merge-patch+json"];

/** A record of 4 kB as JSON, with 40 members; of it one number changes. */
function largeSong(plays) {
  const notes = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`note_${n}`, "Side A, take two. ".repeat(6)]));
  return { ...song(plays), ...notes };
}

function represent(row) {
  const body = JSON.stringify({ song: row });
  const etag = `"${createHash("sha1").update(body).digest("base64url").slice(0, 20)}"`;
  return { contentType: "application/json", body, etag };
}

/** A hub over one collection, with so many subscribers. */
class Subscribers {
  #clock = new ManualClock();
  #journal;
  #step = 0;
  #row = largeSong(0);

  /** @param hasDeltas - whether the journal shows records as they were */
  constructor(hasDeltas) {
    this.#journal = createMemoryJournal({
      represent: ({ after }) => represent(after),
      ...(hasDeltas ? { representBefore: ({ before }) => represent(before) } : {}),
    });
  }

  async open(count, fields) {
    const view = () => ({ ...this.#journal.head, url: target, collection: target, equals: [] });
    const origin = async () => ({
      status: 200,
      fields: [["Content-Type", "application/json"]],
      body: '{"songs":[]}',
      view: view(),
    });
    const hub = createHub({ origin, journal: this.#journal, clock: this.#clock });
    for (let n = 0; n < count; n += 1) {
      hub.connect(new CountingTransport(), { level: 1, target, fields: [["Host", "127.0.0.1:8080"], ...fields] });
    }
    // One opening begins in each turn, and then catches up.
    for (let n = 0; n < count + 10; n += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      this.#clock.endTurn();
    }
    if (hub.counts.subscriptions !== count) throw new Error(`there are ${hub.counts.subscriptions}, not ${count}`);
    return this;
  }

  /** Microseconds of CPU for each of many changes, one per turn, from the commit to the write; and their bytes. */
  run() {
    const before = CountingTransport.bytes;
    const start = process.cpuUsage();
    for (let n = 0; n < changes; n += 1) this.#change();
    const { user, system } = process.cpuUsage(start);
    this.bytes = (CountingTransport.bytes - before) / changes;
    return (user + system) / changes;
  }

  #change() {
    const before = this.#row;
    this.#row = { ...before, plays: 1_000_000 + ++this.#step };
    this.#journal.commit([{ kind: "update", collection: target, url: "/songs/4711", before, after: this.#row }]);
    this.#clock.endTurn();
  }
}

async function subscribers(count, fields, hasDeltas = true) {
  return new Subscribers(hasDeltas).open(count, fields);
}

/**
 * What a change of one number in a record of 4 kB costs, told by a delta and told whole: bytes to each subscriber, and CPU
 * from the commit to the write, which goes nowhere.
 */
export async function run({ pairs = 15, progress }) {
  const rows = [];
  const add = async (name, one, other, goal) => {
    const found = await comparePairs({ name, pairs, warmups: 4, a: () => one.run(), b: () => other.run() });
    rows.push({ ...found, goal, unit: "µs CPU per change" });
    progress(rows.at(-1));
  };
  const [whole, delta] = [await subscribers(1, []), await subscribers(1, [asking])];
  for (const one of [whole, delta]) one.run();
  const ratio = delta.bytes / whole.bytes;
  const bytes = { ratio, low: ratio, high: ratio, pairs: 1, a: delta.bytes, b: whole.bytes, unit: "bytes" };
  rows.push({ ...bytes, name: "bytes of a change in 4 kB: delta / whole record", goal: 0.1 });
  progress(rows.at(-1));
  await add("control, a change in 4 kB: whole to 1, twice", await subscribers(1, []), whole);
  await add(
    "a change in 4 kB, nobody asks: journal with deltas / without",
    whole,
    await subscribers(1, [], false),
    1.1,
  );
  await add("a change in 4 kB: delta to 1 / whole to 1", delta, whole);
  const [manyWhole, manyDelta] = [await subscribers(1_000, []), await subscribers(1_000, [asking])];
  await add("control, a change in 4 kB: whole to 1,000, twice", await subscribers(1_000, []), manyWhole);
  await add("a change in 4 kB: delta to 1,000 / whole to 1,000", manyDelta, manyWhole);
  return rows;
}
