import { demand, Fault } from "../../fault.ts";
import type { Situation, Stage } from "../stage.ts";
import type { Visit } from "../visit.ts";
import { areRandom } from "../waits.ts";
import { everyWay, messageWays } from "../way.ts";

/** Longer than any wait before a first retry. */
const soonMs = 2_000;

async function opened(stage: Stage): Promise<Visit> {
  const visit = await stage.firstOfLevel1();
  visit.open();
  await stage.settle(visit.link);
  return visit;
}

/** A close after which a client must not come back by itself. */
function final(name: string, requirement: string, code: number): Situation {
  return {
    ...{ name, requirement, title: `does not reconnect after ${code}` },
    play: async (stage) => {
      (await opened(stage)).link.close(code);
      await stage.nobody(soonMs * 2, `No connection after ${code}.`);
    },
  };
}

/** A close after which it must come back, and resume. */
function passing(name: string, requirement: string, code: number): Situation {
  return {
    ...{ name, requirement, title: `reconnects after ${code === 1006 ? "a torn connection" : code}, and resumes` },
    play: async (stage) => {
      const visit = await opened(stage);
      if (code === 1006) visit.link.drop();
      else visit.link.close(code);
      const next = await stage.visit(soonMs, "A connection within 0.5 s and a little.");
      const came = `It is ${next.lastEventId ?? "missing"}.`;
      demand(next.lastEventId === stage.position, `Last-Event-ID: ${stage.position}`, came);
      next.open();
      await stage.settle(next.link);
    },
  };
}

/** A refusal of the opening, after which it must not ask for the same again. */
function refusal(status: number, more: readonly (readonly [string, string])[] = []): Situation {
  return {
    name: `status-${status}`,
    requirement: "R-CLOSE-1",
    title: `does not ask for the same again after a ${status}`,
    ways: everyWay,
    isAboutRecords: false,
    play: async (stage) => {
      const visit = await stage.firstOfLevel1();
      // A GET is refused, too: where it were answered, a client might come again with the credentials that it went with.
      stage.getStatus = status;
      visit.refuse(status, more);
      await stage.nobody(soonMs * 2, `No request for the same after a ${status}.`);
    },
  };
}

/** A refusal that says when to come again. */
function later(status: number, seconds: number): Situation {
  return {
    name: `retry-after-${status}`,
    requirement: "R-CLOSE-5",
    title: `waits as long as Retry-After of a ${status} says, and comes again`,
    ways: everyWay,
    isAboutRecords: false,
    play: async (stage) => {
      const visit = await stage.firstOfLevel1();
      visit.refuse(status, [["Retry-After", String(seconds)]]);
      // A little less: clocks and timers are not that exact.
      await stage.nobody(seconds * 900, `No request within ${seconds} s.`);
      (await stage.visit(soonMs, `A request after ${seconds} s.`)).open();
    },
  };
}

const backoff: Situation = {
  name: "backoff",
  requirement: "R-CLOSE-5",
  title: "waits a random time up to 0.5 s, 1 s, 2 s, 4 s before its retries",
  ways: messageWays,
  play: async (stage) => {
    let visit = await stage.firstOfLevel1();
    const capsMs = [500, 1_000, 2_000, 4_000];
    const waitsMs: number[] = [];
    for (const capMs of capsMs) {
      visit.open();
      await stage.settle(visit.link);
      const closedAt = performance.now();
      visit.link.close(1012);
      visit = await stage.visit(capMs + 1_000, `A retry within ${capMs / 1_000} s.`);
      waitsMs.push(visit.at - closedAt);
    }
    const came = `It waits ${waitsMs.map((ms) => `${Math.round(ms)} ms`).join(", ")}.`;
    demand(
      areRandom(
        waitsMs,
        capsMs.map((capMs) => stage.ms(capMs)),
        stage.ms(1),
      ),
      "Random waits up to 0.5 s, 1 s, 2 s, 4 s.",
      came,
    );
    visit.open();
  },
};

const credentials: Situation = {
  name: "credentials",
  requirement: "R-CLOSE-1",
  title: "tries once more after a 401, and no more",
  ways: everyWay,
  isAboutRecords: false,
  play: async (stage) => {
    const visit = await stage.firstOfLevel1();
    visit.refuse(401, [["WWW-Authenticate", "Bearer"]]);
    try {
      (await stage.visit(soonMs, "A second try.")).refuse(401, [["WWW-Authenticate", "Bearer"]]);
    } catch (error) {
      // A client that has no other credentials does not try at all.
      if (error instanceof Fault) return;
      throw error;
    }
    await stage.nobody(soonMs * 3, "No third try.");
  },
};

const noRoom: Situation = {
  name: "no-room",
  requirement: "R-BAND-21",
  title: "opens no connection after another where it is refused with a 429 again and again",
  isAboutRecords: false,
  play: async (stage) => {
    let visit = await stage.firstOfLevel1();
    let ended = 0;
    for (let tries = 1; tries <= 4; tries += 1) {
      visit.refuse(429);
      // Who follows by handshakes comes by another one each time.
      if (!visit.isInBand) ended += 1;
      visit = await stage.visit(10_000, "A retry.");
    }
    const open = (): number => stage.handshakes - ended;
    await stage.until(() => open() > 2, soonMs);
    demand(open() <= 2, "One connection more at most.", `It has ${open()} open.`);
    visit.open();
    await stage.settle(visit.link);
  },
};

const silence: Situation = {
  name: "silence",
  requirement: "R-HB-3",
  title: "abandons a connection on which nothing comes for 27 s, and reconnects",
  play: async (stage) => {
    const visit = await opened(stage);
    await stage.nobody(20_000, "No reconnect while the server may be silent.");
    const next = await stage.visit(12_000, "A new connection after 27 s without a message.");
    demand(next.link !== visit.link, "A new connection.", "It asks on the old one.");
    next.open();
  },
};

/** How connections and subscriptions end, and what a client does then. */
export const endingSituations: readonly Situation[] = [
  noRoom,
  final("done", "R-CLOSE-1", 1000),
  final("protocol-error", "R-CLOSE-1", 1002),
  final("not-found", "R-CLOSE-1", 4404),
  final("unlisted-4444", "R-CLOSE-2", 4444),
  passing("going-away", "R-CLOSE-1", 1001),
  passing("restarting", "R-CLOSE-1", 1012),
  passing("torn", "R-CLOSE-1", 1006),
  passing("unavailable", "R-CLOSE-1", 4503),
  passing("unlisted-4999", "R-CLOSE-2", 4999),
  refusal(403),
  refusal(404),
  refusal(422),
  refusal(307, [["Location", "/elsewhere"]]),
  later(503, 3),
  later(429, 2),
  backoff,
  credentials,
  silence,
];
