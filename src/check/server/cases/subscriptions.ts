import { demand, shown, skip } from "../../fault.ts";
import { fieldValue } from "../../wire/http.ts";
import { fieldOf, type Message } from "../../wire/messages.ts";
import type { Follower } from "../follower.ts";
import { Replica } from "../replica.ts";
import type { ServerCase, Trial } from "../trial.ts";
import type { Written } from "../writer.ts";

/** A record that was made, and the notification that told it. */
async function entered(trial: Trial, follower: Follower): Promise<{ written: Written; message: Message; url: string }> {
  const written = await trial.writer.create();
  const message = await follower.until("A 201 for the record that was made.", written.isIn);
  return { written, message, url: fieldOf(message, "content-location") ?? "" };
}

function about(status: number, url: string): (message: Message) => boolean {
  return (message) => message.status === status && fieldOf(message, "content-location") === url;
}

/** The URL of a record under which it can be followed by itself. */
async function recordUrl(trial: Trial): Promise<Written> {
  const written = await trial.writer.create();
  const { status } = await trial.get(written.url);
  if (status !== 200) skip(`A GET of the record is answered ${status}.`);
  return written;
}

/** Section 7. */
export const subscriptionCases: readonly ServerCase[] = [
  {
    requirement: "R-SUB-1",
    level: 1,
    title: "begins with a 200, then a 304 that says caught up",
    run: async (trial) => {
      const { opening, missed } = await trial.follow();
      demand(opening.status === 200, "A 200 as the first message.", shown(opening.text));
      const stray = missed.find(({ status }) => status === 200 || status >= 300);
      demand(stray === undefined, "Only changes between the opening and the 304.", shown(stray?.text ?? ""));
    },
  },
  {
    requirement: "R-SUB-1",
    level: 1,
    title: "tells a change after the caught-up mark",
    run: async (trial) => {
      const follower = await trial.follow();
      await trial.writer.poke();
      await follower.until("A notification of the change.", ({ status }) => status < 300);
    },
  },
  {
    requirement: "R-SUB-3",
    level: 1,
    title: "loses no change that is written while subscriptions are opened",
    run: async (trial) => {
      const opened = trial.followAll(8);
      const written = [await trial.writer.create(), await trial.writer.create()];
      const followers = await opened;
      for (const follower of followers) await follower.converge("What the stream gave equals a GET.");
      for (const record of written) await trial.writer.destroy(record);
    },
  },
  {
    requirement: "R-SUB-4",
    level: 1,
    title: "tells changes in the order of the commits, and each once",
    run: async (trial) => {
      const follower = await trial.follow();
      const records = [await trial.writer.create(), await trial.writer.create(), await trial.writer.create()];
      const last = records.at(-1) as Written;
      await follower.until("A 201 for each record.", last.isIn);
      await trial.writer.destroy(last);
      await follower.until("A 204 for the last record.", ({ status }) => status === 204);
      const order = follower.source.messages.flatMap((message) => {
        const at = records.findIndex(({ isIn }) => message.status !== 200 && isIn(message));
        return at < 0 ? [] : [at];
      });
      demand(
        order.join() === "0,1,2",
        "The three records once each, in the order 0,1,2.",
        `They come as ${order.join()}.`,
      );
    },
  },
  {
    requirement: "R-SUB-5",
    level: 1,
    title: "tells what enters by a 201, what changes by a 202, and what leaves by a 204",
    run: async (trial) => {
      const follower = await trial.follow();
      const { written, message, url } = await entered(trial, follower);
      demand(message.status === 201, "A 201.", shown(message.text));
      await trial.writer.change(written);
      await follower.until(`A 202 for ${url}.`, about(202, url));
      await trial.writer.destroy(written);
      await follower.until(`A 204 for ${url}.`, about(204, url));
      await follower.converge("What the stream gave equals a GET.");
    },
  },
  {
    requirement: "R-FLD-1",
    level: 1,
    title: "has the URL by Items as Content-Location, byte for byte",
    run: async (trial) => {
      const follower = await trial.follow();
      if (!follower.replica.isList) skip("The resource is no collection.");
      const { written, url } = await entered(trial, follower);
      await trial.writer.destroy(written);
      await follower.until(`A 204 for ${url}.`, ({ status }) => status === 204);
      await follower.converge(`The record ${url} leaves the list that a client keeps by Items.`);
    },
  },
  {
    requirement: "R-POS-4",
    level: 1,
    title: "has an Event-ID on the last notification of a batch",
    run: async (trial) => {
      const follower = await trial.follow();
      await trial.writer.poke();
      const before = follower.position;
      await follower.until("A notification with another Event-ID.", (message) => {
        const position = fieldOf(message, "event-id");
        return message.status < 300 && position !== undefined && position !== before;
      });
    },
  },
  {
    requirement: "R-SUB-7",
    level: 1,
    title: "opens with a 304 where If-None-Match names the snapshot's ETag",
    run: async (trial) => {
      let { opening } = await trial.follow();
      let tag = fieldOf(opening, "etag");
      for (let tries = 0; tries < 3 && tag !== undefined; tries += 1) {
        ({ opening } = await trial.follow({ fields: [["If-None-Match", tag]] }));
        const now = fieldOf(opening, "etag");
        // What others write meanwhile is another snapshot.
        if (opening.status !== 200 || now === tag) break;
        tag = now;
      }
      if (tag === undefined) skip("The snapshot has no ETag.");
      const isRight = opening.status === 304 && fieldOf(opening, "etag") === tag;
      demand(isRight, `A 304 with ETag: ${tag}.`, shown(opening.text));
      demand(fieldOf(opening, "event-id") !== undefined, "A 304 with the position.", shown(opening.text));
    },
  },
  {
    requirement: "R-SUB-7",
    level: 1,
    title: "opens with a 200 where If-None-Match names another ETag",
    run: async (trial) => {
      const { opening } = await trial.follow({ fields: [["If-None-Match", '"rocket-check"']] });
      demand(opening.status === 200, "A 200.", shown(opening.text));
    },
  },
  {
    requirement: "R-SUB-9",
    level: 1,
    title: "ends the subscription to a record by its 204, and closes with 1000",
    run: async (trial) => {
      const record = await recordUrl(trial);
      const follower = await trial.follow({ target: record.url });
      await trial.writer.destroy(record);
      await follower.until("A 204 for the record.", ({ status }) => status === 204);
      const { code } = await follower.peer.closed("A close with 1000.");
      demand(code === 1000, "A close with 1000.", `It is closed with ${code}.`);
    },
  },
  {
    requirement: "R-SUB-12",
    level: 1,
    title: "goes on for others, and afterwards with a connection that did not read",
    run: async (trial) => {
      const idle = await trial.follow();
      const other = await trial.follow();
      idle.peer.setReading(false);
      const { written } = await entered(trial, other);
      idle.peer.setReading(true);
      await idle.until("A 201 for the record, once the connection reads again.", written.isIn);
    },
  },
  {
    requirement: "R-SUB-15",
    level: 1,
    title: "tells each change of a record to who follows it by itself",
    run: async (trial) => {
      const record = await recordUrl(trial);
      const follower = await trial.follow({ target: record.url, replica: new Replica(record.url) });
      await trial.writer.change(record);
      await follower.until("A 202 for the record.", ({ status }) => status === 202 || status === 200);
    },
  },
  {
    requirement: "R-POS-7",
    level: "http",
    strength: "should",
    title: "has an Event-ID on the answer to a write of a direct view",
    run: async (trial) => {
      if (trial.survey.kind !== "direct") skip("The view has no positions of a journal.");
      const { answer } = await trial.writer.create();
      demand(fieldValue(answer.fields, "event-id") !== undefined, "An Event-ID.", shown(answer.head));
    },
  },
];
