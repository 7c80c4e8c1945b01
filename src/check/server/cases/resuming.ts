import { demand, shown, skip } from "../../fault.ts";
import { fieldValue } from "../../wire/http.ts";
import { fieldOf } from "../../wire/messages.ts";
import type { Follower } from "../follower.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** A position that may be resumed from. */
async function position(trial: Trial): Promise<Follower> {
  const follower = await trial.follow();
  if (follower.position === "") skip("The view has no positions.");
  return follower;
}

function requireJournal(trial: Trial): void {
  if (trial.survey.kind !== "direct") skip("The view has no positions of a journal.");
}

const strange = [
  "rocket-check",
  "rocket-check:1.1",
  "d-rocketcheck",
  "0",
  "a b",
  "x".repeat(129),
  "s:18446744073709551616.1",
];

async function mustBeFresh(trial: Trial, lastEventId: string): Promise<void> {
  const { opening } = await trial.follow({ fields: [["Last-Event-ID", lastEventId]] });
  demand(opening.status === 200, "A fresh 200.", shown(opening.text));
}

/** Section 8, and the positions of section 6. */
export const resumeCases: readonly ServerCase[] = [
  {
    requirement: "R-POS-2",
    level: 1,
    title: "has positions of the journal's form, where it promises a journal",
    run: async (trial) => {
      if (!trial.survey.promises.includes("journal") || trial.survey.kind === "derived")
        skip("It promises no journal here.");
      const { position: given } = await position(trial);
      const [, place, check] = /^[A-Za-z0-9._~-]+:(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$/.exec(given) ?? [];
      const isRight = [place, check].every((number) => Number(number) <= Number.MAX_SAFE_INTEGER);
      demand(isRight, 'A position segment ":" position "." check.', given);
    },
  },
  {
    requirement: "R-POS-2",
    level: 1,
    title: "has ascending positions",
    run: async (trial) => {
      requireJournal(trial);
      const follower = await position(trial);
      const place = () => Number(/:([0-9]+)\./.exec(follower.position)?.[1]);
      const before = place();
      await trial.writer.poke();
      const isMarked = (message: {
        readonly status: number;
        readonly fields: readonly (readonly [string, string])[];
      }) => message.status < 300 && fieldValue(message.fields, "event-id") !== undefined;
      await follower.until("A notification with an Event-ID.", isMarked);
      demand(place() > before, `A position after ${before}.`, follower.position);
    },
  },
  {
    requirement: "R-POS-3",
    level: 1,
    title: "gives no position that is later than the snapshot's state",
    run: async (trial) => {
      const opened = trial.followAll(6);
      await trial.writer.create();
      await trial.writer.create();
      const followers = await opened;
      await trial.writer.create();
      for (const { opening, source, replica } of followers) {
        const given = fieldOf(opening, "event-id");
        source.drop();
        if (given === undefined) continue;
        replica.apply(opening);
        const resumed = await trial.follow({ fields: [["Last-Event-ID", given]], replica });
        await resumed.converge("The snapshot, and what comes after its position, equal a GET.");
      }
    },
  },
  {
    requirement: "R-POS-6",
    level: 1,
    title: "takes a position whose check is another for unknown",
    run: async (trial) => {
      requireJournal(trial);
      const { position: given } = await position(trial);
      const dot = given.lastIndexOf(".") + 1;
      const other = given.slice(0, dot) + String((Number(given.slice(dot)) + 1) % 1_000_000_007);
      await mustBeFresh(trial, other);
    },
  },
  {
    requirement: "R-POS-8",
    level: 1,
    title: "gives equal documents of a derived view equal positions",
    run: async (trial) => {
      if (trial.survey.kind !== "derived") skip("The view is not derived.");
      const one = await position(trial);
      const other = await position(trial);
      if (!one.opening.body.equals(other.opening.body)) skip("The document changes from GET to GET.");
      const given = fieldOf(one.opening, "event-id");
      demand(given === fieldOf(other.opening, "event-id"), "The same position twice.", `${given}, then another.`);
    },
  },
  {
    requirement: "R-RES-1",
    level: 1,
    title: "resumes at the position that a client has, with a 304 that names it",
    run: async (trial) => {
      const { position: given, source } = await position(trial);
      source.drop();
      const { opening } = await trial.follow({ fields: [["Last-Event-ID", given]] });
      const isRight = opening.status === 304 && fieldOf(opening, "event-id") === given;
      demand(isRight, `A 304 with Event-ID: ${given}.`, shown(opening.text));
    },
  },
  {
    requirement: "R-RES-1",
    level: 1,
    title: "sends what was missed after the position, once, before the caught-up mark",
    run: async (trial) => {
      requireJournal(trial);
      const { position: given, source, replica } = await position(trial);
      source.drop();
      const records = [await trial.writer.create(), await trial.writer.create()];
      const resumed = await trial.follow({ fields: [["Last-Event-ID", given]], replica });
      demand(resumed.opening.status === 304, "A 304.", shown(resumed.opening.text));
      const order = resumed.missed.flatMap((message) => {
        const at = records.findIndex(({ isIn }) => isIn(message));
        return at < 0 ? [] : [at];
      });
      const came = order.length === 0 ? "None comes." : `They come as ${order.join()}.`;
      demand(order.join() === "0,1", "The two records once each, in the order 0,1, before the second 304.", came);
      await resumed.converge("What the stream gave equals a GET.");
    },
  },
  ...strange.map((lastEventId): ServerCase => {
    const title = `opens with a fresh 200 after Last-Event-ID: ${lastEventId.slice(0, 30)}`;
    return { requirement: "R-RES-2", level: 1, title, run: (trial) => mustBeFresh(trial, lastEventId) };
  }),
  {
    requirement: "R-RES-2",
    level: 1,
    title: "opens with a fresh 200 after a position beyond the end",
    run: async (trial) => {
      requireJournal(trial);
      const { position: given } = await position(trial);
      await mustBeFresh(trial, given.replace(/:[0-9]+\./, ":9007199254740000."));
    },
  },
  {
    requirement: "R-RES-3",
    level: 1,
    title: "opens with a 304 after Last-Event-ID: *",
    run: async (trial) => {
      const { opening } = await trial.follow({ fields: [["Last-Event-ID", "*"]] });
      const isRight = opening.status === 304 && fieldOf(opening, "event-id") !== undefined;
      demand(isRight, "A 304 with the current position.", shown(opening.text));
    },
  },
  {
    requirement: "R-RES-4",
    level: 1,
    title: "refuses an unknown position with 410 and closes with 4410, where the handshake is strict",
    run: async (trial) => {
      const fields = [
        ["Last-Event-ID", "rocket-check"],
        ["Prefer", "handling=strict"],
      ] as const;
      const peer = await trial.open({ fields });
      const first = await peer.until("A 410.");
      demand(first.status === 410, "A 410.", shown(first.text));
      const { code } = await peer.closed("A close with 4410.");
      demand(code === 4410, "A close with 4410.", `It is closed with ${code}.`);
    },
  },
  {
    requirement: "R-RES-4",
    level: 1,
    title: "refuses an unknown position in band with 410, and goes on",
    run: async (trial) => {
      const { peer } = await trial.follow();
      await trial.ask(peer, `UNSUBSCRIBE ${trial.site.target}`);
      const fields = ["Last-Event-ID: rocket-check", "Prefer: handling=strict"];
      const answer = await trial.ask(peer, `SUBSCRIBE ${trial.site.target}`, fields);
      demand(answer.status === 410, "A 410.", shown(answer.text));
      await peer.fence("A pong: the connection goes on.");
    },
  },
];
