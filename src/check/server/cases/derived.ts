import { demand, shown, skip } from "../../fault.ts";
import { fieldOf } from "../../wire/messages.ts";
import { Replica } from "../replica.ts";
import type { ServerCase, Trial } from "../trial.ts";

function requireDerived(trial: Trial): void {
  if (trial.survey.kind !== "derived") skip("The view is not derived.");
}

/** Section 8, derived views. */
export const derivedCases: readonly ServerCase[] = [
  {
    requirement: "R-DER-3",
    level: 1,
    title: "looks again where a write comes during the first look",
    run: async (trial) => {
      requireDerived(trial);
      const opened = trial.followAll(5);
      await trial.writer.create();
      for (const follower of await opened) await follower.converge("What the stream gave equals a GET.");
    },
  },
  {
    requirement: "R-DER-4",
    level: 1,
    title: "looks again at what stands above the target of a write",
    run: async (trial) => {
      requireDerived(trial);
      const record = await trial.writer.create();
      const follower = await trial.follow();
      await trial.writer.change(record);
      await follower.until("A 202 or a 200 for the collection.", ({ status }) => status === 202 || status === 200);
      await follower.converge("What the stream gave equals a GET.");
    },
  },
  {
    requirement: "R-DER-4",
    level: 1,
    title: "looks again at the record itself after a write to it",
    run: async (trial) => {
      requireDerived(trial);
      const record = await trial.writer.create();
      const { status } = await trial.get(record.url);
      if (status !== 200) skip(`A GET of the record is answered ${status}.`);
      const follower = await trial.follow({ target: record.url, replica: new Replica(record.url) });
      await trial.writer.change(record);
      await follower.until(
        "A 202 or a 200 for the record.",
        (message) => message.status === 202 || message.status === 200,
      );
    },
  },
  {
    requirement: "R-DER-5",
    level: 1,
    title: "tells a difference by 201, 202 and 204, or a fresh 200 and a 304 behind it",
    run: async (trial) => {
      requireDerived(trial);
      const follower = await trial.follow();
      const record = await trial.writer.create();
      const first = await follower.until("A 201 or a 200.", ({ status }) => status < 300);
      demand(first.status === 201 || first.status === 200, "A 201 or a 200.", shown(first.text));
      if (first.status === 200) await follower.until("A 304 behind the fresh 200.", ({ status }) => status === 304);
      await trial.writer.destroy(record);
      const second = await follower.until("A 204 or a 200.", ({ status }) => status < 300);
      demand(second.status === 204 || second.status === 200, "A 204 or a 200.", shown(second.text));
    },
  },
  {
    requirement: "R-DER-6",
    level: 1,
    title: "comes to equal a GET after a burst of writes, order included",
    run: async (trial) => {
      const follower = await trial.follow();
      const records = [await trial.writer.create(), await trial.writer.create(), await trial.writer.create()];
      for (const record of records.slice(0, 2)) await trial.writer.change(record);
      await trial.writer.destroy(records[1] as (typeof records)[number]);
      await follower.converge("What the stream gave equals a GET.");
    },
  },
  {
    requirement: "R-DER-8",
    level: 1,
    title: "opens with a 304 at the position of the current document, and with a 200 at an older one",
    run: async (trial) => {
      requireDerived(trial);
      const { position, peer, replica } = await trial.follow();
      peer.drop();
      const current = await trial.follow({ fields: [["Last-Event-ID", position]], replica });
      demand(current.opening.status === 304, "A 304.", shown(current.opening.text));
      await trial.writer.create();
      await current.converge("What the stream gave equals a GET.");
      const older = await trial.follow({ fields: [["Last-Event-ID", position]] });
      demand(older.opening.status === 200, "A fresh 200.", shown(older.opening.text));
    },
  },
  {
    requirement: "R-FLD-10",
    level: 1,
    title: "has Item-Index on the 201 of a record in a derived list, and it is the record's place",
    run: async (trial) => {
      requireDerived(trial);
      const follower = await trial.follow();
      if (!follower.replica.isList) skip("The resource is no collection.");
      const record = await trial.writer.create();
      const message = await follower.until("A 201 for the record.", ({ status }) => status === 201 || status === 200);
      if (message.status === 200) skip("The difference was told by a fresh 200.");
      demand(fieldOf(message, "item-index") !== undefined, "A 201 with Item-Index.", shown(message.text));
      await follower.converge("The record stands where a GET has it.");
      await trial.writer.destroy(record);
    },
  },
];
