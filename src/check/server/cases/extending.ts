import { demand, shown, skip } from "../../fault.ts";
import { type Field, fieldValue } from "../../wire/http.ts";
import { fieldOf, jsonOf } from "../../wire/messages.ts";
import { wellKnownOf } from "../site.ts";
import type { ServerCase } from "../trial.ts";

/** Fields, and preferences, of extensions that there are not. */
const strange: readonly Field[] = [
  ["Prefer", "rocket-check-unknown=1; a=b, rocket-check"],
  ["Rocket-Check", "1"],
];

const safe = ["GET", "HEAD", "OPTIONS"];

/** Section 15. */
export const extendingCases: readonly ServerCase[] = [
  {
    requirement: "R-EXT-1",
    level: 1,
    title: "opens as for others where a handshake has fields and preferences that nobody knows",
    run: async (trial) => {
      const plain = await trial.follow();
      const { opening } = await trial.follow({ fields: strange });
      const isSame = opening.status === plain.opening.status && opening.body.equals(plain.opening.body);
      if (!isSame && fieldOf(opening, "event-id") !== plain.position) skip("Somebody wrote meanwhile.");
      demand(isSame, `A ${plain.opening.status} with the same body.`, shown(opening.text));
    },
  },
  {
    requirement: "R-EXT-1",
    level: 1,
    title: "answers a SUBSCRIBE in band as for others where it has fields and preferences that nobody knows",
    run: async (trial) => {
      const plain = await trial.ask(await trial.bare(), `SUBSCRIBE ${trial.site.target}`);
      const fields = strange.map(([name, value]) => `${name}: ${value}`);
      const answer = await trial.ask(await trial.bare(), `SUBSCRIBE ${trial.site.target}`, fields);
      demand(answer.status === plain.status, `A ${plain.status}, as without them.`, shown(answer.text));
    },
  },
  {
    requirement: "R-EXT-1",
    level: 1,
    title: "carries out no safe method in band that it does not name at the well-known URL",
    run: async (trial) => {
      const unnamed = safe.filter((method) => !trial.survey.methods.includes(method));
      if (unnamed.length === 0) skip("It names GET, HEAD and OPTIONS.");
      const peer = await trial.bare();
      for (const method of unnamed) {
        const answer = await trial.ask(peer, `${method} ${trial.site.target}`);
        const isRefused = answer.status === 501 || answer.status === 421;
        demand(isRefused, `A 501 to ${method}, or a 421.`, shown(answer.text));
      }
    },
  },
  {
    requirement: "R-EXT-2",
    level: 0,
    title: "echoes nothing where only later versions are offered",
    run: async (trial) => {
      const { answer } = await trial.shake({ protocols: ["rocket.v999", "rocket.v998"] });
      if (answer.status !== 101) skip(`The handshake is not taken: it is answered ${answer.status}.`);
      const echo = fieldValue(answer.fields, "sec-websocket-protocol");
      demand(echo === undefined, "A 101 without Sec-WebSocket-Protocol.", `It is ${echo}.`);
    },
  },
  {
    requirement: "R-EXT-3",
    level: "http",
    title: "has a version of 1. and a number at the well-known URL",
    run: async (trial) => {
      const answer = await trial.get(wellKnownOf(trial.site));
      const { rocket } = (jsonOf(answer) ?? {}) as { rocket?: { version?: unknown } };
      const version = rocket?.version;
      const isRight = typeof version === "string" && /^1\.(?:0|[1-9][0-9]*)$/.test(version);
      demand(isRight, 'A version such as "1.0".', shown(JSON.stringify(version) ?? "none"));
    },
  },
];
