import { isDeepStrictEqual } from "node:util";
import { demand, shown, skip } from "../../fault.ts";
import { fieldValue } from "../../wire/http.ts";
import { fieldOf, jsonOf } from "../../wire/messages.ts";
import { wellKnownOf } from "../site.ts";
import type { ServerCase, Trial } from "../trial.ts";

function requireKeys(trial: Trial): void {
  if (!trial.survey.promises.includes("idempotency-key")) skip("It does not promise idempotency-key.");
}

const key = (): string => `"rocket-check-${Math.random().toString(36).slice(2)}"`;

/** Section 10. */
export const wellKnownCases: readonly ServerCase[] = [
  {
    requirement: "R-WK-1",
    level: "http",
    title: "answers a GET of the well-known URL with what it can do",
    run: async (trial) => {
      const answer = await trial.get(wellKnownOf(trial.site));
      demand(answer.status === 200, "A 200.", shown(answer.head));
      const type = fieldValue(answer.fields, "content-type") ?? "";
      demand(/^application\/json(?:;|$)/i.test(type), "Content-Type: application/json", type);
      const { rocket } = (jsonOf(answer) ?? {}) as { rocket?: Record<string, unknown> };
      const isRight =
        typeof rocket?.version === "string" &&
        Array.isArray(rocket.levels) &&
        Number.isInteger(rocket.heartbeatMs) &&
        Array.isArray(rocket.promises);
      demand(isRight, "rocket with version, levels, heartbeatMs, limits and promises.", shown(answer.body.toString()));
      const limits = (rocket.limits ?? {}) as Record<string, unknown>;
      const names = ["maxMessageBytes", "maxSubscriptions", "maxOutstandingRequests"];
      const missing = names.filter((name) => !Number.isInteger(limits[name]));
      demand(missing.length === 0, `limits with ${names.join(", ")}.`, `It lacks ${missing.join(", ")}.`);
    },
  },
  {
    requirement: "R-WK-7",
    level: "http",
    title: "gives a sign of life at least every 20 s, as it says",
    run: async (trial) => {
      const { rocket } = (jsonOf(await trial.get(wellKnownOf(trial.site))) ?? {}) as {
        rocket?: { heartbeatMs?: number };
      };
      const { heartbeatMs = 0 } = rocket ?? {};
      const isRight = heartbeatMs > 0 && heartbeatMs <= 20_000;
      demand(isRight, "A heartbeatMs of at most 20,000.", `It is ${heartbeatMs}.`);
    },
  },
  {
    requirement: "R-WK-2",
    level: 1,
    title: "takes a handshake of Level 1 at the well-known URL without a subscription",
    run: async (trial) => {
      const peer = await trial.open({ target: wellKnownOf(trial.site) });
      const first = await peer.until("A 200.");
      const hasPlace = fieldOf(first, "event-id") ?? fieldOf(first, "items");
      demand(first.status === 200 && hasPlace === undefined, "A 200 without Event-ID and Items.", shown(first.text));
      const document = jsonOf(await trial.get(wellKnownOf(trial.site)));
      demand(isDeepStrictEqual(jsonOf(first), document), "The body of a GET.", shown(first.text));
    },
  },
  {
    requirement: "R-WK-4",
    level: 1,
    title: "keeps the promise journal: the resource's position is one of a journal",
    run: async (trial) => {
      if (!trial.survey.promises.includes("journal")) skip("It does not promise journal.");
      if (trial.survey.kind === "derived") skip("This view is derived: the promise is about direct ones.");
      demand(
        trial.survey.kind === "direct",
        "A position of a journal.",
        `The position is of the kind "${trial.survey.kind}".`,
      );
    },
  },
  {
    requirement: "R-WK-4",
    level: "http",
    title: "carries a write with an Idempotency-Key out once, and answers the repeat as the first",
    run: async (trial) => {
      requireKeys(trial);
      const fields = [["Idempotency-Key", key()]] as const;
      const { answer, row } = await trial.writer.create(fields);
      const again = await trial.request({
        method: "POST",
        target: trial.writer.collection,
        fields: [["Content-Type", "application/json"], ...fields],
        body: JSON.stringify(row),
      });
      const isSame = again.status === answer.status && again.body.equals(answer.body);
      demand(isSame, `The first answer again: a ${answer.status}.`, shown(again.head + again.body.toString()));
      const names = ["event-id", "location"];
      const other = names.find((name) => fieldValue(again.fields, name) !== fieldValue(answer.fields, name));
      demand(other === undefined, "The same Event-ID and Location.", `${other} is another.`);
    },
  },
  {
    requirement: "R-WK-4",
    level: "http",
    title: "refuses another request with a key that was used with 422, and a key that is no string with 400",
    run: async (trial) => {
      requireKeys(trial);
      const fields = [["Idempotency-Key", key()]] as const;
      const { row } = await trial.writer.create(fields);
      const send = (body: unknown, others: readonly (readonly [string, string])[]) =>
        trial.request({
          method: "POST",
          target: trial.writer.collection,
          fields: [["Content-Type", "application/json"], ...others],
          body: JSON.stringify(body),
        });
      const other = await send({ ...row, "rocket-check": 1 }, fields);
      demand(other.status === 422, "A 422.", shown(other.head));
      const token = await send(row, [["Idempotency-Key", "token"]]);
      demand(token.status === 400, "A 400.", shown(token.head));
    },
  },
  {
    requirement: "R-WK-5",
    level: 1,
    title: "gives out URLs below its base path",
    run: async (trial) => {
      const { basePath } = trial.site;
      if (basePath === "") skip("It has no base path: --base-path gives one.");
      const { items } = trial.survey;
      if (items?.url === undefined) skip("The resource's rows have no template.");
      demand(items.url.startsWith(`${basePath}/`), `A template that begins with ${basePath}/.`, items.url);
    },
  },
];
