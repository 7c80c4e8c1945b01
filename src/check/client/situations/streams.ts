import { demand } from "../../fault.ts";
import type { Situation, Stage } from "../stage.ts";
import type { Row, Visit } from "../visit.ts";
import { messageWays } from "../way.ts";

const soonMs = 2_000;

async function opened(stage: Stage): Promise<Visit> {
  const visit = await stage.firstOfLevel1();
  visit.open();
  return visit;
}

/** The visit after a break, which must say where the client was. */
async function resumed(stage: Stage, position: string): Promise<Visit> {
  const visit = await stage.visit(soonMs, "A connection within 0.5 s and a little.");
  demand(visit.lastEventId === position, `Last-Event-ID: ${position}`, `It is ${visit.lastEventId ?? "missing"}.`);
  return visit;
}

const four: Row = { id: 4, name: "four" };
const two: Row = { id: 2, name: "two, changed" };

/** In the order in which they belong. */
const mixed: readonly Row[] = [
  { id: 10 },
  { id: 11, rank: null },
  { id: 12, rank: false },
  { id: 13, rank: true },
  { id: 14, rank: -1 },
  { id: 15, rank: 9 },
  { id: 16, rank: 10 },
  { id: 17, rank: "" },
  { id: 18, rank: "10" },
  { id: 19, rank: "9" },
  { id: 20, rank: "\uff5e" },
  { id: 21, rank: "\u{1f600}" },
];

/** In the order of their ranks, the greatest first, and none behind all of them. */
const withoutRank: readonly Row[] = [
  { id: 43, rank: null },
  { id: 44, rank: "b" },
  { id: 45, rank: "a" },
  { id: 46, rank: 2 },
  { id: 41, rank: 1 },
  { id: 42, rank: false },
];

/** In the order of their ranks as numbers. */
const numbers: readonly Row[] = [
  { id: 30, rank: "-9007199254740993" },
  { id: 31, rank: false },
  { id: 32, rank: 7 },
  { id: 33, rank: 9007199254740991 },
  { id: 34, rank: "9007199254740992" },
  { id: 35, rank: "9007199254740993" },
  { id: 36, rank: "10" },
];

/** Records that enter the other way round, and must stand in their order. */
function ordered(name: string, title: string, rows: readonly Row[], order: string): Situation {
  const first = rows[5];
  return {
    ...{ name, requirement: "R-FLD-6", title, order, isOrdered: true, ways: messageWays },
    rows: rows.filter((row) => row === first),
    play: async (stage) => {
      const visit = await opened(stage);
      for (const row of [...rows].reverse()) if (row !== first) visit.tell(201, row);
      stage.arrange(rows);
      await stage.settle(visit.link);
    },
  };
}

/** Ordinary streams, and what a client holds after them. */
const ordinary: readonly Situation[] = [
  {
    name: "snapshot",
    requirement: "R-L1-3",
    title: "takes a first message of 200 or 304 for Level 1",
    play: async (stage) => stage.settle((await opened(stage)).link),
  },
  {
    name: "changes",
    requirement: "R-SUB-14",
    title: "takes 201 and 202 alike, and ignores a 204 for what it does not have",
    ways: messageWays,
    play: async (stage) => {
      const visit = await opened(stage);
      visit.tell(201, four);
      visit.tell(202, two);
      visit.tell(204, { id: 3 });
      visit.tell(202, { id: 5, name: "entered by a 202" });
      visit.tell(201, { id: 1, name: "changed by a 201" });
      visit.tell(204, { id: 99 });
      await stage.settle(visit.link);
    },
  },
  ordered("item-order", "keeps a list in the order of Item-Order, whatever the values are", mixed, "rank.asc,id.asc"),
  ordered("item-order-number", "compares as numbers what Item-Order says so of", numbers, "rank.asc-number"),
  ordered("item-order-nulls", "puts null where Item-Order says", withoutRank, "rank.desc-nullsfirst,id.asc"),
  {
    name: "item-index",
    requirement: "R-FLD-10",
    title: "puts records where Item-Index says",
    ways: messageWays,
    order: "",
    isOrdered: true,
    play: async (stage) => {
      const visit = await opened(stage);
      const one = { id: 1, name: "one, at the end" };
      visit.tell(201, four, true, [["Item-Index", "0"]]);
      visit.tell(202, one, true, [["Item-Index", "3"]]);
      stage.arrange([four, { id: 2, name: "two" }, { id: 3, name: "three" }, one]);
      await stage.settle(visit.link);
    },
  },
];

/** Breaks, and what a client resumes at. */
const breaks: readonly Situation[] = [
  {
    name: "bookmark",
    requirement: "R-RES-5",
    title: "resumes at the newest position that it was given, also by a 304",
    ways: messageWays,
    play: async (stage) => {
      const visit = await opened(stage);
      stage.advance();
      visit.mark();
      await stage.settle(visit.link);
      visit.link.drop();
      const next = await resumed(stage, stage.position);
      next.open();
      await stage.settle(next.link);
    },
  },
  {
    name: "half-transaction",
    requirement: "R-POS-5",
    title: "forgets what no mark followed, and resumes before it",
    ways: messageWays,
    play: async (stage) => {
      const visit = await opened(stage);
      const before = stage.position;
      visit.tell(201, four, false);
      visit.tell(202, two, false);
      await stage.settle(visit.link);
      visit.link.drop();
      const next = await resumed(stage, before);
      next.open();
      // The history was another one in the end: nothing takes back what was never shown.
      stage.put(204, four);
      next.again(202, two, true);
      await stage.settle(next.link);
    },
  },
  {
    name: "304-within-batch",
    requirement: "R-POS-5",
    title: "takes a 304 for no mark of what came before it, and does not move its position by it",
    ways: messageWays,
    play: async (stage) => {
      const visit = await opened(stage);
      visit.tell(202, two);
      const before = stage.position;
      visit.tell(201, four, false);
      stage.advance();
      visit.mark();
      await stage.settle(visit.link);
      visit.link.drop();
      const next = await resumed(stage, before);
      stage.put(204, four);
      next.link.send(next.format(304, [["Event-ID", before]]));
      next.mark();
      await stage.settle(next.link);
    },
  },
  {
    name: "torn-message",
    requirement: "R-RES-5",
    title: "resumes after the last whole message, where one was torn",
    play: async (stage) => {
      const visit = await opened(stage);
      visit.tell(202, two);
      await stage.settle(visit.link);
      const before = stage.position;
      const place = ["Content-Location", `${stage.target}/4`] as const;
      const fields = [["Content-Type", "application/json"], place, ["Event-ID", "c1:9.9"]] as const;
      visit.link.tear(visit.format(201, fields, '{"item":{"id":4}}'));
      const next = await resumed(stage, before);
      next.open();
      await stage.settle(next.link);
    },
  },
  {
    name: "lost-history",
    requirement: "R-POS-5",
    title: "replaces everything by a 200 that answers a resume",
    ways: messageWays,
    play: async (stage) => {
      const visit = await opened(stage);
      visit.tell(201, four);
      await stage.settle(visit.link);
      visit.link.drop();
      const next = await resumed(stage, stage.position);
      stage.restart([{ id: 7, name: "seven" }]);
      next.open();
      await stage.settle(next.link);
    },
  },
  {
    name: "reset",
    requirement: "R-POS-5",
    title: "discards by an unasked 200 what no mark followed, and resumes at its position",
    ways: messageWays,
    play: async (stage) => {
      const visit = await opened(stage);
      visit.tell(201, four, false);
      stage.restart([{ id: 8, name: "eight" }]);
      visit.snapshot();
      visit.mark();
      // The mark of what is told now is none of what stood before the 200.
      visit.tell(202, { id: 8, name: "eight, changed" });
      await stage.settle(visit.link);
      visit.link.drop();
      const next = await resumed(stage, stage.position);
      next.open();
      await stage.settle(next.link);
    },
  },
];

async function mustGet(stage: Stage, before: number, withinMs: number): Promise<void> {
  const isAsked = await stage.until(() => stage.gets > before, withinMs);
  demand(isAsked, "A GET of the resource, since this is Level 0.", "None comes.");
}

/** Servers that are no Level 1, whatever they echo. */
const impostors: readonly Situation[] = [
  {
    name: "echo-of-level-0",
    requirement: "R-L1-3",
    title: "takes a first message of 201 for Level 0, and GETs the snapshot itself",
    echo: "level-0",
    isAboutRecords: false,
    play: async (stage) => {
      await stage.met();
      await mustGet(stage, 0, 12_000);
    },
  },
  {
    name: "echo-and-nothing",
    requirement: "R-L1-3",
    title: "takes 10 s without a message for Level 0, and GETs the snapshot itself",
    echo: "mute",
    isAboutRecords: false,
    play: async (stage) => {
      await stage.met();
      await mustGet(stage, 0, 15_000);
    },
  },
  {
    name: "no-echo",
    requirement: "R-L1-3",
    strength: "should",
    title: "connects again without offering rocket.v1, or GETs, where it is not echoed",
    echo: "never",
    isAboutRecords: false,
    play: async (stage) => {
      await stage.met();
      const isServed = () => stage.gets > 0 || stage.isVisited;
      const came = "Neither a handshake without an offer nor a GET comes.";
      demand(await stage.until(isServed, 15_000), "A handshake that offers nothing, or a GET.", came);
    },
  },
];

/** What comes, and what a client makes of it. */
export const streamSituations: readonly Situation[] = [...ordinary, ...breaks, ...impostors];
