import { describe, expect, it } from "vitest";
import { Feed } from "../../src/client/feed.ts";
import type { FeedEvent, FeedState } from "../../src/client/feed-state.ts";
import { next } from "../../src/client/machine.ts";
import { localProblem } from "../../src/client/problem.ts";
import {
  type StreamHappening,
  type StreamState,
  streamTransitions,
  type Way,
  type WayFinding,
  wayTransitions,
} from "../../src/client/stream-state.ts";
import { type TabEvent, type TabState, tabTransitions } from "../../src/client/tab-state.ts";
import { type WriteEvent, type WriteState, writeTransitions } from "../../src/client/write-state.ts";
import { createFakeClock } from "../../src/testing/index.ts";
import { change, listOf } from "./messages.ts";

/** Where each event leads from each state. Who adds a state or an event has to say it here. */
type Table<State extends string, Event extends string> = Readonly<Record<State, Readonly<Record<Event, State>>>>;

/** Each cell of a table: state, event, what follows. */
function cellsOf<State extends string, Event extends string>(table: Table<State, Event>): [State, Event, State][] {
  const rows = Object.entries(table) as [State, Record<Event, State>][];
  return rows.flatMap(([state, row]) =>
    (Object.entries(row) as [Event, State][]).map(([event, after]): [State, Event, State] => [state, event, after]),
  );
}

const staying = <State extends string>(state: State) => ({ early: state, snapshot: state, bookmark: state }) as const;

const feedTable: Table<FeedState, FeedEvent> = {
  waiting: {
    early: "early",
    snapshot: "opened",
    bookmark: "opened",
    change: "waiting",
    lost: "waiting",
    failure: "failed",
    again: "waiting",
    close: "closed",
  },
  early: {
    early: "early",
    snapshot: "opened",
    bookmark: "opened",
    change: "waiting",
    lost: "early",
    failure: "failed",
    again: "early",
    close: "closed",
  },
  opened: {
    early: "opened",
    snapshot: "opened",
    bookmark: "live",
    change: "opened",
    lost: "waiting",
    failure: "failed",
    again: "opened",
    close: "closed",
  },
  live: {
    early: "live",
    snapshot: "opened",
    bookmark: "live",
    change: "live",
    lost: "waiting",
    failure: "failed",
    again: "live",
    close: "closed",
  },
  failed: {
    ...staying("failed"),
    change: "failed",
    lost: "failed",
    failure: "failed",
    again: "waiting",
    close: "closed",
  },
  closed: {
    ...staying("closed"),
    change: "closed",
    lost: "closed",
    failure: "closed",
    again: "closed",
    close: "closed",
  },
};

const problem = localProblem(403, "No.");
const bookmark = { status: 304, reason: "", fields: [], body: "" };

/** What makes each event happen. */
const doings: Readonly<Record<FeedEvent, (feed: Feed) => void>> = {
  early: (feed) => feed.early(listOf([{ id: 1 }])),
  snapshot: (feed) => feed.take(listOf([{ id: 1 }])),
  bookmark: (feed) => feed.take(bookmark),
  change: (feed) => feed.take(change(202, { id: 1 }), true),
  lost: (feed) => feed.lost(false),
  failure: (feed) => feed.fail(problem),
  again: (feed) => feed.again(),
  close: (feed) => feed.close(problem),
};

/** A way to each state. */
const ways: Readonly<Record<FeedState, readonly FeedEvent[]>> = {
  waiting: [],
  early: ["early"],
  opened: ["snapshot"],
  live: ["snapshot", "bookmark"],
  failed: ["failure"],
  closed: ["close"],
};

/** What the status may say in each state. */
const said: Readonly<Record<FeedState, readonly string[]>> = {
  waiting: ["connecting", "stale"],
  early: ["connecting", "stale"],
  opened: ["connecting", "stale", "live"],
  live: ["live"],
  failed: ["failed"],
  closed: ["failed"],
};

describe("A feed", () => {
  it.each(cellsOf(feedTable))("that is %s is, after %s, %s", (state, event, after) => {
    const feed = new Feed({
      target: "/a",
      origin: "http://h",
      clock: createFakeClock(),
      urls: new WeakMap(),
      versions: new WeakMap(),
      follow: () => () => {},
      askAnew: () => {},
      onStatus: () => {},
    });
    for (const step of ways[state]) doings[step](feed);
    expect(feed.state).toBe(state);
    doings[event](feed);
    expect(feed.state).toBe(after);
    expect(said[after]).toContain(feed.status.state);
    expect([feed.isCaughtUp, feed.isEnded]).toEqual([after === "live", after === "failed" || after === "closed"]);
  });
});

const tabTable: Table<TabState, TabEvent> = {
  unknown: { known: "following", alone: "alone", close: "closed" },
  following: { known: "following", alone: "alone", close: "closed" },
  alone: { known: "alone", alone: "alone", close: "closed" },
  closed: { known: "closed", alone: "closed", close: "closed" },
};

it.each(cellsOf(tabTable))("A tab that is %s is, after %s, %s", (state, event, after) => {
  expect(next(tabTransitions, state, event)).toBe(after);
});

const streamTable: Table<StreamState, StreamHappening> = {
  asking: { head: "opening", message: "asking", end: "waiting", due: "asking", stop: "over" },
  opening: { head: "opening", message: "open", end: "waiting", due: "opening", stop: "over" },
  open: { head: "open", message: "open", end: "waiting", due: "open", stop: "over" },
  waiting: { head: "waiting", message: "waiting", end: "waiting", due: "asking", stop: "over" },
  over: { head: "over", message: "over", end: "over", due: "over", stop: "over" },
};

it.each(cellsOf(streamTable))("A stream that is %s is, after %s, %s", (state, happening, after) => {
  expect(next(streamTransitions, state, happening)).toBe(after);
});

const stays = <State extends string>(state: State) =>
  ({ elsewhere: state, blocked: state, offered: state, buffered: state, due: state, back: "none" }) as const;

const wayTable: Table<Way, WayFinding> = {
  none: { ...stays("none"), elsewhere: "level-0", blocked: "polling", offered: "streams" },
  "level-0": stays("level-0"),
  polling: stays("polling"),
  streams: { ...stays("streams"), buffered: "buffered" },
  buffered: { ...stays("buffered"), due: "streams" },
};

it.each(cellsOf(wayTable))("The way without a socket that is %s is, after %s, %s", (way, finding, after) => {
  expect(next(wayTransitions, way, finding)).toBe(after);
});

const writeTable: Table<WriteState, WriteEvent> = {
  queued: { send: "sent", unsent: "queued", answer: "queued", settle: "queued", refuse: "over" },
  sent: { send: "sent", unsent: "queued", answer: "answered", settle: "sent", refuse: "over" },
  answered: { send: "answered", unsent: "answered", answer: "answered", settle: "over", refuse: "answered" },
  over: { send: "over", unsent: "over", answer: "over", settle: "over", refuse: "over" },
};

it.each(cellsOf(writeTable))("A write that is %s is, after %s, %s", (state, event, after) => {
  expect(next(writeTransitions, state, event)).toBe(after);
});
