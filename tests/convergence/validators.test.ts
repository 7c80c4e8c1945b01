import { describe, expect, it } from "vitest";
import type { CommittedChange, ConnectionHistory, Entry, History, Row, Stream, ViewDescription } from "./history.ts";
import { type PromiseName, validators, violationsOf } from "./validators.ts";

const view: ViewDescription = { url: "/a?kind=1", collection: "/a", equals: [["kind", 1]] };
const first: Row = { id: 1, kind: 1, version: 1 };
const second: Row = { id: 2, kind: 1, version: 2 };
const third: Row = { id: 1, kind: 1, version: 3 };
const foreign: Row = { id: 3, kind: 2, version: 4 };
const fourth: Row = { id: 2, kind: 1, version: 5 };
const fifth: Row = { id: 2, kind: 1, version: 6 };

function change(position: number, url: string, rows: Pick<CommittedChange, "before" | "after">): CommittedChange {
  return { position, collection: "/a", url, ...rows };
}

/** 1 creates a record; 2 and 3, one transaction, create another and change the first; 4 is foreign; 5 changes, 6 deletes. */
const transactions: History["transactions"] = [
  { at: 0, first: 1, last: 1, changes: [change(1, "/a/1", { after: first })], resets: [] },
  {
    at: 10,
    first: 2,
    last: 3,
    changes: [change(2, "/a/2", { after: second }), change(3, "/a/1", { before: first, after: third })],
    resets: [],
  },
  { at: 20, first: 4, last: 4, changes: [change(4, "/a/3", { after: foreign })], resets: [] },
  { at: 30, first: 5, last: 5, changes: [change(5, "/a/2", { before: second, after: fourth })], resets: [] },
  { at: 40, first: 6, last: 6, changes: [change(6, "/a/1", { before: third })], resets: [] },
];

function at(position: number | undefined): Pick<Entry, "eventId" | "mark"> {
  return position === undefined ? {} : { eventId: `s0:${position}.7`, mark: { epoch: 0, position } };
}

function snapshot(position: number, ...rows: Row[]): Entry {
  const byUrl = new Map(rows.map((row) => [`/a/${row.id}`, row]));
  return { at: 1, head: 6, status: 200, rows: byUrl, ...at(position) };
}

function bookmark(position: number, more: Partial<Entry> = {}): Entry {
  return { at: 2, head: 6, status: 304, ...at(position), ...more };
}

function put(status: 201 | 202, row: Row, position?: number): Entry {
  return { at: 50, head: 6, status, url: `/a/${row.id}`, row, ...at(position) };
}

function left(url: string, position?: number): Entry {
  return { at: 50, head: 6, status: 204, url, ...at(position) };
}

const opening = [snapshot(1, first), bookmark(1)];
const batch = [put(201, second), put(202, third, 3)];
const rest = [put(202, fourth, 5), left("/a/1", 6)];
const good = [...opening, ...batch, ...rest];

const connection: ConnectionHistory = {
  name: "r",
  level: 1,
  signs: [0, 2, 50],
  graceMs: 0,
  isSteady: true,
  openedAt: 0,
  endedAt: 60,
  peakUnsentBytes: 0,
  largestSnapshotBytes: 100,
  deltas: 0,
  strays: [],
};

function history(stream: Partial<Stream>, more: Partial<ConnectionHistory> = {}, rest: Partial<History> = {}): History {
  const own = { ...connection, ...more };
  const asked = { at: 0, head: 1, epoch: 0 };
  const { level } = own;
  const made: Stream = { name: "r", level, connection: own, view, asked, entries: good, isOpenAtEnd: true, ...stream };
  return {
    transactions,
    aborted: new Set([99]),
    finalEpoch: 0,
    maxUnsentBytes: 1_000,
    overshootBytes: 50,
    streams: [made],
    connections: [own],
    ...rest,
  };
}

function resumed(lastEventId: string, isKnown: boolean, entries: readonly Entry[], isStrict = false): History {
  const held = new Map([["/a/1", first]]);
  return history({ asked: { at: 0, head: 6, epoch: 0, lastEventId, isKnown, isStrict, held }, entries });
}

const reset: History["transactions"] = transactions.map((transaction) =>
  transaction.last === 4 ? { ...transaction, resets: ["/a"] } : transaction,
);
const level0 = { ...connection, level: 0 } as const;
const level0Entries = [...batch, ...rest].map(({ mark: _mark, eventId: _eventId, ...entry }) => entry);

/** As `transactions`, and 7 and 8, one transaction, delete a record and create it again. */
const renewing: Partial<History> = {
  transactions: [
    ...transactions,
    {
      at: 50,
      first: 7,
      last: 8,
      changes: [change(7, "/a/2", { before: fourth }), change(8, "/a/2", { after: fifth })],
      resets: [],
    },
  ],
};
const record: ViewDescription = { url: "/a/2", collection: "/a", record: "/a/2", equals: [] };
const recordOpening = [snapshot(6, fourth), bookmark(6)];
const gone = { ...left("/a/2", 8), head: 8 };

const bad: readonly (readonly [name: PromiseName, what: string, history: History])[] = [
  ["P1", "changes in another order", history({ entries: [...opening, put(202, fourth), ...batch, left("/a/1", 6)] })],
  ["P1", "a position that goes back", history({ entries: [...opening, ...batch, ...rest, bookmark(3)] })],
  ["P2", "a change that comes twice", history({ entries: [...opening, ...batch, put(202, third, 3), ...rest] })],
  ["P2", "a 204 that comes twice", history({ entries: [...good, left("/a/1", 6)] })],
  ["P2", "what the snapshot had", history({ entries: [...opening, put(201, first, 1), ...batch, ...rest] })],
  ["P3", "a change that is missing", history({ entries: [...opening, ...batch, left("/a/1", 6)] })],
  ["P3", "a 204 that is missing", history({ entries: [...opening, ...batch, put(202, fourth, 5)] })],
  ["P3", "a bookmark that skips", history({ entries: [...opening, bookmark(3), ...rest] })],
  ["P3", "nothing at all", history({ entries: [] })],
  ["P3", "no word that it is caught up", history({ entries: [snapshot(1, first), ...batch, ...rest] })],
  ["P3", "an opening that is none", history({ entries: [...batch, ...rest] })],
  ["P3", "a position of no history", history({ entries: [...opening, bookmark(1, { eventId: "x:1.1" }), ...batch] })],
  ["P3", "a reset that is ignored", history({}, {}, { transactions: reset })],
  ["P3", "a lost history that is ignored", history({}, {}, { finalEpoch: 1 })],
  ["P3", "a gap at Level 0", history({ openedHead: 1, entries: level0Entries.slice(1) }, level0)],
  ["P3", "an end that is missing at Level 0", history({ openedHead: 1, entries: level0Entries.slice(0, -1) }, level0)],
  ["P3", "a record that is created again, told as neither", history({ entries: [...good, bookmark(8)] }, {}, renewing)],
  [
    "P3",
    "the end of a record that is there",
    history({ view: record, entries: [...recordOpening, gone] }, {}, renewing),
  ],
  ["P4", "what was rolled back", history({ entries: [...good, put(202, { ...fourth, version: 99 })] })],
  ["P4", "what nobody wrote", history({ entries: [snapshot(1, { ...first, version: 77 }), bookmark(1)] })],
  ["P5", "a position on each message", history({ entries: [...opening, put(201, second, 3), put(202, third, 3)] })],
  [
    "P5",
    "a position within a transaction",
    history({ entries: [...opening, put(201, second, 2), put(202, third, 3)] }),
  ],
  ["P5", "no position at the end", history({ entries: [...opening, put(201, second), put(202, third)] })],
  ["P5", "no position before a bookmark", history({ entries: [...opening, put(201, second), bookmark(3)] })],
  [
    "P5",
    "a transaction that is split",
    history({ entries: [...opening, put(201, second), put(202, fourth), put(202, third, 5)] }),
  ],
  ["P6", "a known position that gets a 200", resumed("s0:1.7", true, good)],
  ["P6", "a 304 at another position", resumed("s0:1.7", true, [bookmark(3), bookmark(3)])],
  ["P6", "an unknown position that gets a 304", resumed("x:1.7", false, [bookmark(1), bookmark(1)])],
  ["P6", "a strict client that gets a 200", resumed("x:1.7", false, good, true)],
  ["P7", "silence", history({}, { signs: [0, 20_001], endedAt: 20_002 })],
  ["P7", "silence until the end", history({}, { endedAt: 20_100 })],
  [
    "P7",
    "a bookmark that stands still",
    history({ entries: [...opening, ...batch, bookmark(3, { at: 20_050, isShared: true })] }),
  ],
  ["P8", "a snapshot of another time", history({ entries: [snapshot(1, third), bookmark(1), ...batch, ...rest] })],
  ["P8", "a snapshot that lacks a row", history({ entries: [snapshot(1), bookmark(1), ...batch, ...rest] })],
  [
    "P8",
    "a record that goes back in time",
    history({ entries: [...opening, ...batch, put(202, fourth), put(202, second, 5), left("/a/1", 6)] }),
  ],
  [
    "P8",
    "a resume of another state",
    history({
      asked: { at: 0, head: 1, epoch: 0, lastEventId: "s0:1.7", held: new Map() },
      entries: [bookmark(1), bookmark(1), ...batch, ...rest],
    }),
  ],
  ["P9", "a record that the filter hides", history({ entries: [...good, put(201, foreign, 6)] })],
  ["P9", "a snapshot with one", history({ entries: [snapshot(1, first, foreign), bookmark(1), ...batch, ...rest] })],
  ["P9", "a 204 of one", history({ entries: [...good, left("/a/3", 6)] })],
  ["P9", "a message for nobody", history({}, { strays: ["202 for /a"] })],
  ["P10", "too much that is unsent", history({}, { peakUnsentBytes: 1_151 })],
];

describe("The validators", () => {
  it("find nothing in a good history", () => {
    expect(violationsOf(history({}))).toEqual([]);
  });

  it("find nothing in a good resume", () => {
    expect(violationsOf(resumed("s0:1.7", true, [bookmark(1), ...batch, ...rest, bookmark(6)]))).toEqual([]);
    expect(violationsOf(resumed("x:1.7", false, good))).toEqual([]);
  });

  it("find nothing in a good history of Level 0", () => {
    expect(violationsOf(history({ openedHead: 1, entries: level0Entries }, level0))).toEqual([]);
  });

  it.each([
    ["one by one", view, [...good, { ...left("/a/2"), head: 8 }, put(201, fifth, 8)]],
    ["as one", view, [...good, put(202, fifth, 8)]],
    ["as one, to those who follow the record", record, [...recordOpening, put(202, fifth, 8)]],
  ])("find nothing where a delete and a create come %s", (_, followed, entries) => {
    expect(violationsOf(history({ view: followed, entries }, {}, renewing))).toEqual([]);
  });

  it("find nothing where a fresh 200 tells of a reset", () => {
    const entries = [...opening, ...batch, snapshot(4, third, second), bookmark(4), ...rest];
    expect(violationsOf(history({ entries }, {}, { transactions: reset }))).toEqual([]);
  });

  it("find nothing where unmarked messages were cut off by the end of the connection", () => {
    expect(violationsOf(history({ entries: [...opening, put(201, second)], isOpenAtEnd: false }))).toEqual([]);
  });

  it.each(bad)("of %s find %s", (name, _what, history) => {
    expect(validators[name](history)).not.toEqual([]);
  });

  it("say which subscription and what", () => {
    const entries = [...opening, ...batch, left("/a/1", 6)];
    expect(violationsOf(history({ entries }))).toContain("P3 r: 202 of /a/2 at 5 never came, and the position is 6");
  });
});

describe("A 200 without a position, which shows what has none yet [R-POS-3]", () => {
  const { mark: _mark, eventId: _eventId, ...ahead } = snapshot(3, third, second);
  const entries = [ahead, bookmark(3), ...rest];

  it("is an opening where an engine may show that, exact at the first mark", () => {
    expect(violationsOf(history({ entries }, {}, { showsAhead: true }))).toEqual([]);
  });

  it("is none elsewhere, and none whose first mark is later than what it shows", () => {
    expect(violationsOf(history({ entries }))).toEqual([expect.stringMatching(/^P3 .*no position that is known/)]);
    const late = [ahead, bookmark(5), ...rest.slice(1)];
    expect(violationsOf(history({ entries: late }, {}, { showsAhead: true }))).toEqual([
      expect.stringMatching(/^P8 .*the state at 5 is not what a GET shows/),
    ]);
  });
});
