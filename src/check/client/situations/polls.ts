import { demand } from "../../fault.ts";
import type { Situation, Stage } from "../stage.ts";
import type { Visit } from "../visit.ts";
import type { Way } from "../way.ts";
import { four, soonMs, two } from "./visits.ts";

const ways: readonly Way[] = ["polls"];

/** The next GET that waits, which must name what the client was given last. @throws Fault */
async function current(stage: Stage): Promise<Visit> {
  const visit = await stage.visit(soonMs, "Another GET that waits.");
  const came = `It names ${visit.lastEventId ?? "another ETag"}.`;
  demand(visit.isCurrent, `Last-Event-ID: ${stage.position}, or If-None-Match: ${stage.etag}.`, came);
  return visit;
}

/** The first GET that waits, at what a GET before it was answered. */
async function waiting(stage: Stage): Promise<Visit> {
  const visit = await stage.firstOfLevel1();
  const came = `It names ${visit.lastEventId ?? "another ETag"}.`;
  demand(visit.isCurrent, `Last-Event-ID: ${stage.position}, or If-None-Match: ${stage.etag}.`, came);
  return visit;
}

/** GETs that wait, and what a client does with their answers. */
export const pollSituations: readonly Situation[] = [
  {
    name: "poll-change",
    requirement: "R-STR-21",
    title: "takes the answer to a GET that waited for the whole, and asks again from there",
    ways,
    play: async (stage) => {
      const visit = await waiting(stage);
      stage.put(201, four);
      stage.put(204, { id: 3 });
      stage.advance();
      visit.snapshot();
      const next = await current(stage);
      stage.put(202, two);
      stage.advance();
      next.snapshot();
      await current(stage);
    },
  },
  {
    name: "poll-nothing",
    requirement: "R-STR-21",
    title: "keeps what it has at a 304, takes its Event-ID, and asks again",
    ways,
    play: async (stage) => {
      let visit = await waiting(stage);
      for (let round = 0; round < 3; round += 1) {
        stage.advance();
        visit.unchanged();
        visit = await current(stage);
      }
    },
  },
  {
    name: "poll-cut",
    requirement: "R-STR-21",
    title: "asks again where a connection breaks while a GET waits",
    ways,
    play: async (stage) => {
      (await waiting(stage)).link.drop();
      const next = await current(stage);
      stage.put(201, four);
      stage.advance();
      next.snapshot();
      await current(stage);
    },
  },
  {
    name: "poll-other-history",
    requirement: "R-STR-21",
    title: "replaces everything by a 200 of another history",
    ways,
    play: async (stage) => {
      const visit = await waiting(stage);
      stage.restart([{ id: 7, name: "seven" }]);
      visit.snapshot();
      await current(stage);
    },
  },
];
