import { demand, shown } from "../../fault.ts";
import { fieldOf } from "../../wire/messages.ts";
import { wellKnownOf } from "../site.ts";
import type { ServerCase } from "../trial.ts";

/** Section 9, and what a request asks for that can't be had as it stands. */
export const requestCases: readonly ServerCase[] = [
  {
    requirement: "R-MSG-17",
    level: 1,
    title: "takes the first of two fields of a name",
    run: async (trial) => {
      const peer = await trial.bare();
      const id = trial.nextId();
      peer.send(`UNSUBSCRIBE ${trial.missing} HTTP/1.1\r\nRequest-ID: ${id}\r\nRequest-ID: other\r\n\r\n`);
      const expected = `An answer with Request-ID: ${id}.`;
      const answer = await peer.until(expected);
      demand(fieldOf(answer, "request-id") === id, expected, shown(answer.text));
    },
  },
  {
    requirement: "R-BAND-20",
    level: 1,
    title: "lets SUBSCRIBE and UNSUBSCRIBE that are sent at once take effect in their order",
    run: async (trial) => {
      const peer = await trial.bare();
      const asked = ["SUBSCRIBE", "UNSUBSCRIBE", "SUBSCRIBE", "UNSUBSCRIBE", "UNSUBSCRIBE"].map((method) => {
        return { method, id: trial.nextId() };
      });
      for (const { method, id } of asked) {
        peer.send(`${method} ${trial.site.target} HTTP/1.1\r\nRequest-ID: ${id}\r\n\r\n`);
      }
      const statuses: (number | undefined)[] = [];
      for (const { id } of asked) {
        const isAnswer = (message: Parameters<typeof fieldOf>[0]) => fieldOf(message, "request-id") === id;
        statuses.push((await peer.until(`An answer with Request-ID: ${id}.`, isAnswer)).status);
      }
      demand(statuses.join() === "200,204,200,204,404", "200,204,200,204,404", statuses.join());
    },
  },
  {
    requirement: "R-SUB-17",
    level: 1,
    title: "begins a subscription in band by SUBSCRIBE, once the handshake's own has ended",
    run: async (trial) => {
      const { peer } = await trial.follow();
      await trial.ask(peer, `UNSUBSCRIBE ${trial.site.target}`);
      const answer = await trial.ask(peer, `SUBSCRIBE ${trial.site.target}`);
      const isNew = answer.status === 200 && fieldOf(answer, "subscription") !== undefined;
      demand(isNew, "A 200 with Subscription.", shown(answer.text));
    },
  },
  {
    requirement: "R-RES-7",
    level: 1,
    title: "looks at Last-Event-ID before If-None-Match, and at handling=strict between them",
    run: async (trial) => {
      const { peer } = await trial.follow();
      await trial.ask(peer, `UNSUBSCRIBE ${trial.site.target}`);
      const match = "If-None-Match: *";
      const unknown = "Last-Event-ID: rocket-check";
      const subscribe = `SUBSCRIBE ${trial.site.target}`;
      const strict = await trial.ask(peer, subscribe, [unknown, "Prefer: handling=strict", match]);
      demand(strict.status === 410, "A 410 for a strict one.", shown(strict.text));
      const now = await trial.ask(peer, subscribe, ["Last-Event-ID: *", match]);
      const isNow = now.status === 304 && fieldOf(now, "etag") === undefined;
      demand(isNow, "A 304 without ETag, for Last-Event-ID: *.", shown(now.text));
      const again = await trial.ask(peer, subscribe, [unknown, "Prefer: handling=strict"]);
      demand(again.status === 304, "A 304 for what is subscribed already.", shown(again.text));
    },
  },
  {
    requirement: "R-WK-6",
    level: 1,
    title: "refuses a SUBSCRIBE for the well-known URL by a 422, and goes on",
    run: async (trial) => {
      const peer = await trial.bare();
      const answer = await trial.ask(peer, `SUBSCRIBE ${wellKnownOf(trial.site)}`);
      demand(answer.status === 422, "A 422.", shown(answer.text));
      await peer.fence("A pong: the connection goes on.");
    },
  },
];
