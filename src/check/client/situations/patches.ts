import { demand } from "../../fault.ts";
import type { Situation, Stage } from "../stage.ts";
import type { Row, Visit } from "../visit.ts";
import type { Way } from "../way.ts";
import { four, opened, soonMs, two } from "./visits.ts";

const ways: readonly Way[] = ["patches"];
const operations = { 201: "add", 202: "replace", 204: "remove" } as const;

/** An operation of a patch; the stage has the change from then on. */
function step(stage: Stage, status: 201 | 202 | 204, row: Row): unknown {
  stage.put(status, row);
  const path = stage.urlOf(row).replaceAll("~", "~0");
  return { op: operations[status], path, ...(status === 204 ? {} : { value: row }) };
}

/** An event with a patch (R-STR-11). */
function patchOf(id: string, steps: readonly unknown[]): string {
  return `event: patch\nid: ${id}\ndata: ${JSON.stringify(steps)}\n\n`;
}

/** Sends what becomes of records as one event. */
function tell(stage: Stage, visit: Visit, changes: readonly (readonly [status: 201 | 202 | 204, row: Row])[]): void {
  const steps = changes.map(([status, row]) => step(stage, status, row));
  visit.http.write(patchOf(stage.advance(), steps));
}

/** The client after an end: it resumes where it was, or GETs the whole again. */
async function back(stage: Stage, before: number): Promise<Visit> {
  const visit = await stage.visit(soonMs * 2, "Another SUBSCRIBE.");
  const isRight = visit.lastEventId === stage.position || stage.gets > before;
  const came = `There is no GET, and Last-Event-ID is ${visit.lastEventId ?? "missing"}.`;
  demand(isRight, `Last-Event-ID: ${stage.position}, or a GET.`, came);
  return visit;
}

/** Makes sure that the whole is asked for again. @throws Fault */
async function mustGet(stage: Stage, before: number, why: string): Promise<void> {
  const isAsked = await stage.until(() => stage.gets > before, soonMs * 2);
  demand(isAsked, `A GET of the resource, since ${why}.`, "None comes.");
}

const plain: readonly Situation[] = [
  {
    name: "patch-operations",
    requirement: "R-STR-12",
    title: "takes each operation of a patch in order: add and replace with the record itself, remove",
    ways,
    play: async (stage) => {
      const visit = await opened(stage);
      tell(stage, visit, [
        [202, two],
        [201, four],
        [204, { id: 3 }],
        [202, { id: 4, name: "four, changed" }],
        [204, { id: 1 }],
        [201, { id: 1, name: "one, again" }],
      ]);
      await stage.settle(visit.link);
    },
  },
  {
    name: "patch-pointers",
    requirement: "R-STR-12",
    title: "takes a path for the record's URL, with ~0 for ~ and its / as they are",
    prefix: "~",
    ways,
    play: async (stage) => {
      const visit = await opened(stage);
      tell(stage, visit, [
        [202, two],
        [201, four],
        [204, { id: 3 }],
      ]);
      await stage.settle(visit.link);
    },
  },
  {
    name: "patch-events",
    requirement: "R-STR-11",
    title: "takes one event after another, of a batch or of several, wherever they are cut",
    ways,
    play: async (stage) => {
      const visit = await opened(stage);
      const first = [step(stage, 201, { id: 4, name: "vier, \u00e4 \u20ac \u2028" })];
      stage.advance();
      const one = patchOf(stage.position, [...first, step(stage, 202, two)]);
      const other = patchOf(stage.advance(), [step(stage, 204, { id: 3 })]);
      await visit.http.writeInPieces(one.replaceAll("\u2028", "\\u2028") + other, 1);
      tell(stage, visit, [[201, { id: 5, name: "five" }]]);
      await stage.settle(visit.link);
    },
  },
  {
    name: "patch-comments",
    requirement: "R-STR-6",
    title: "ignores comments and retry beside patches",
    ways,
    play: async (stage) => {
      const visit = await opened(stage);
      visit.http.write(": a comment\n\nretry: 350\n\n");
      const text = patchOf(stage.advance(), [step(stage, 201, four)]);
      visit.http.write(`:\n${text.replace("\ndata", "\n: within\ndata")}`);
      await stage.settle(visit.link);
    },
  },
];

const half: Situation = {
  name: "half-patch",
  requirement: "R-STR-7",
  title: "takes no patch that no empty line follows when the stream ends, and goes on before it",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    tell(stage, visit, [[202, two]]);
    await stage.settle(visit.link);
    const before = stage.gets;
    const torn = { op: "add", path: stage.urlOf(four), value: { id: 4, name: "torn" } };
    visit.http.write(patchOf("c1:9.9", [torn]).slice(0, -1));
    visit.link.close(1001);
    const next = await back(stage, before);
    next.open();
    await stage.settle(next.link);
  },
};

const ended: Situation = {
  name: "patch-ended",
  requirement: "R-STR-20",
  title: "goes on by the last id where a patch stream ends, or GETs again",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    tell(stage, visit, [[201, four]]);
    await stage.settle(visit.link);
    const before = stage.gets;
    visit.link.close(1001);
    const next = await back(stage, before);
    next.open();
    tell(stage, next, [[204, { id: 1 }]]);
    await stage.settle(next.link);
  },
};

const gone: Situation = {
  name: "patch-gone",
  requirement: "R-STR-20",
  title: "GETs the whole again where its return is refused by 410",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    tell(stage, visit, [[201, four]]);
    await stage.settle(visit.link);
    visit.link.drop();
    const refused = await stage.visit(soonMs * 2, "Another SUBSCRIBE.");
    const before = stage.gets;
    const old = stage.position;
    stage.restart([{ id: 7, name: "seven" }]);
    refused.refuse(410);
    await mustGet(stage, before, "a 410 says that what followed is not known");
    const next = await stage.visit(soonMs * 2, "A SUBSCRIBE from now on.");
    demand(next.lastEventId !== old, "A SUBSCRIBE at another position, or at none.", `Last-Event-ID is ${old} again.`);
    next.open();
    tell(stage, next, [[201, { id: 8, name: "eight" }]]);
    await stage.settle(next.link);
  },
};

const lost: Situation = {
  name: "patch-lost",
  requirement: "R-STR-20",
  title: "GETs the whole again where a stream has ended behind an id that is no position",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    tell(stage, visit, [[201, four]]);
    await stage.settle(visit.link);
    const before = stage.gets;
    const old = stage.position;
    stage.given.add("lost");
    stage.restart([{ id: 7, name: "seven" }]);
    visit.http.write("id: lost\n\n");
    visit.link.close(1001);
    await stage.until(() => stage.isVisited || stage.gets > before, soonMs * 2);
    let next = await stage.visit(soonMs * 2, "Another SUBSCRIBE.");
    if (next.lastEventId === "lost") {
      next.refuse(410);
      await mustGet(stage, before, "a 410 says that what followed is not known");
      next = await stage.visit(soonMs * 2, "A SUBSCRIBE from now on.");
    }
    demand(next.lastEventId !== old, "A SUBSCRIBE at another position, or at none.", `Last-Event-ID is ${old} again.`);
    await mustGet(stage, before, "what followed is lost");
    next.open();
    await stage.settle(next.link);
  },
};

/** Patch streams, and what a client holds after them. */
export const patchSituations: readonly Situation[] = [...plain, half, ended, gone, lost];
