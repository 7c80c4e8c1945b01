import { demand } from "../../fault.ts";
import type { Situation } from "../stage.ts";
import { streamWays, type Way } from "../way.ts";
import { four, opened, resumed, soonMs } from "./visits.ts";

const ways = streamWays;
/** Patch streams live by comments, too. */
const livingWays: readonly Way[] = [...streamWays, "patches"];

/** A stream that ends, or breaks, without a word. */
function passing(name: string, what: string, isTorn: boolean): Situation {
  return {
    ...{ name, requirement: "R-STR-17", title: `comes again where a stream ${what}, and resumes`, ways },
    play: async (stage) => {
      const visit = await opened(stage);
      visit.tell(201, four);
      await stage.settle(visit.link);
      if (isTorn) visit.link.drop();
      else visit.link.close(1001);
      const next = await resumed(stage, stage.position);
      next.open();
      await stage.settle(next.link);
    },
  };
}

const problem: Situation = {
  name: "problem-in-stream",
  requirement: "R-CLOSE-1",
  title: "does not come again after a stream that ended with a 404",
  ways,
  isAboutRecords: false,
  play: async (stage) => {
    const visit = await opened(stage);
    stage.getStatus = 404;
    visit.refuse(404);
    await stage.nobody(soonMs * 2, "No request for the same after a 404.");
  },
};

const retryAfter: Situation = {
  name: "retry-after-in-stream",
  requirement: "R-CLOSE-5",
  title: "waits as long as the Retry-After of a problem in a stream says, and resumes",
  ways,
  play: async (stage) => {
    const visit = await opened(stage);
    visit.refuse(503, [["Retry-After", "2"]]);
    await stage.nobody(1_800, "No request within 2 s.");
    const next = await resumed(stage, stage.position);
    next.open();
    await stage.settle(next.link);
  },
};

const retry: Situation = {
  name: "retry",
  requirement: "R-STR-7",
  title: "waits as long as the stream's last retry says",
  ways: ["events"],
  play: async (stage) => {
    const visit = await opened(stage);
    visit.http.write("retry: 2000\n\n");
    await stage.settle(visit.link);
    visit.link.close(1001);
    await stage.nobody(1_800, "No request within 2 s.");
    const next = await resumed(stage, stage.position);
    next.open();
    await stage.settle(next.link);
  },
};

const unavailable: Situation = {
  name: "refused-for-a-while",
  requirement: "R-CLOSE-1",
  title: "comes once more where its return is refused by 503",
  ways,
  play: async (stage) => {
    (await opened(stage)).link.close(1001);
    const next = await resumed(stage, stage.position);
    next.refuse(503);
    const last = await stage.visit(soonMs * 2, "Another request.");
    last.open();
    await stage.settle(last.link);
  },
};

const refused: Situation = {
  name: "refused-for-good",
  requirement: "R-CLOSE-1",
  title: "does not come once more where its return is refused by 404",
  ways,
  isAboutRecords: false,
  play: async (stage) => {
    (await opened(stage)).link.close(1001);
    const next = await resumed(stage, stage.position);
    stage.getStatus = 404;
    next.refuse(404);
    await stage.nobody(soonMs * 2, "No request for the same after a 404.");
  },
};

const moved: Situation = {
  name: "moved",
  requirement: "R-CLOSE-1",
  title: "follows a redirect or stops, and does not ask for the same again",
  ways,
  isAboutRecords: false,
  play: async (stage) => {
    const first = await stage.firstOfLevel1();
    first.refuse(307, [["Location", `${stage.target}?moved`]]);
    if (!(await stage.until(() => stage.isVisited, soonMs * 2))) return;
    const next = await stage.visit(0, "A request.");
    demand(next.asked.endsWith("?moved"), "A request for what Location says, or none.", `It asks for ${next.asked}.`);
    next.open();
    await stage.settle(next.link);
  },
};

const noStream: Situation = {
  name: "no-stream",
  requirement: "R-STR-15",
  title: "takes nothing for a stream that has not its Content-Type",
  ways,
  isAboutRecords: false,
  play: async (stage) => {
    const first = await stage.firstOfLevel1();
    const { fields, body } = stage.document();
    const trap = "c1:66.66";
    const text = first.http.spell(first.format(200, [...fields, ["Event-ID", trap]], body));
    first.link.answer(200, [["Content-Type", "text/plain"]], text);
    if (!(await stage.until(() => stage.isVisited, soonMs * 2))) return;
    const next = await stage.visit(0, "A request.");
    demand(next.lastEventId !== trap, "Nothing of a text/plain is taken in.", `It resumes at ${trap}.`);
    next.open();
  },
};

const silence: Situation = {
  name: "silent-stream",
  requirement: "R-STR-16",
  title: "abandons a stream on which nothing comes for 27 s, and asks again",
  ways: livingWays,
  play: async (stage) => {
    await opened(stage);
    const before = stage.gets;
    await stage.nobody(20_000, "No other request while the server may be silent.");
    const isBack = () => stage.isVisited || stage.gets > before;
    demand(await stage.until(isBack, 14_000), "Another request after 27 s without anything.", "None comes.");
    if (stage.isVisited) (await stage.visit(0, "A request.")).open();
  },
};

const alive: Situation = {
  name: "living-stream",
  requirement: "R-STR-16",
  title: "takes comments, or empty lines of an HTTP stream, for signs of life",
  ways: livingWays,
  play: async (stage) => {
    const visit = await opened(stage);
    for (const restMs of [18_000, 18_000]) {
      await stage.nobody(restMs, "No other request while signs of life come.");
      visit.http.write(visit.link.way === "parts" ? "\r\n" : ":\n\n");
    }
    if (visit.link.way !== "patches") visit.tell(201, four);
    await stage.settle(visit.link);
  },
};

/** How streams over HTTP end, and what a client does then. */
export const streamEndings: readonly Situation[] = [
  passing("stream-ended", "ends", false),
  passing("stream-torn", "breaks", true),
  problem,
  retryAfter,
  retry,
  unavailable,
  refused,
  moved,
  noStream,
  silence,
  alive,
];
