import { demand, shown, skip } from "../../fault.ts";
import { type Field, fieldValue, type HttpAnswer } from "../../wire/http.ts";
import type { ServerCase, Trial } from "../trial.ts";

/** A GET that waits, by what it names. @throws Skip where there is nothing to name, or the server does not wait */
async function knownBy(trial: Trial): Promise<Field> {
  if (trial.survey.streams.length === 0) skip("The server does not say that it has streams (R-STR-18).");
  const { fields } = await trial.get();
  const position = fieldValue(fields, "event-id");
  const etag = fieldValue(fields, "etag");
  if (position !== undefined) return ["Last-Event-ID", position];
  if (etag !== undefined) return ["If-None-Match", etag];
  return skip("Its GETs have neither an Event-ID nor an ETag.");
}

function poll(trial: Trial, prefer: string, ...fields: readonly Field[]): Promise<HttpAnswer> {
  return trial.get(trial.site.target, [["Prefer", prefer], ...fields]);
}

/** Long polls of section 11, and preferences. */
export const longPollCases: readonly ServerCase[] = [
  {
    requirement: "R-STR-21",
    level: "stream",
    title: "answers a GET that waits at the next change",
    run: async (trial) => {
      const known = await knownBy(trial);
      const waiting = poll(trial, "wait=60", known);
      waiting.catch(() => {});
      const { url } = await trial.writer.create();
      const answer = await waiting;
      demand(answer.status === 200, "A 200.", shown(answer.head));
      const applied = fieldValue(answer.fields, "preference-applied") ?? "";
      demand(/^wait=[0-9]+$/.test(applied), "Preference-Applied: wait=…", shown(answer.head));
      const plain = await trial.get();
      demand(answer.body.equals(plain.body), `What a GET answers, with ${url}.`, shown(answer.body.toString("utf8")));
    },
  },
  {
    requirement: "R-STR-21",
    level: "stream",
    title: "answers at once a GET that names another state, and one that names none",
    run: async (trial) => {
      await knownBy(trial);
      for (const fields of [
        [],
        [["If-None-Match", '"rocket-check"']],
        [["Last-Event-ID", "rocket-check"]],
      ] as Field[][]) {
        const answer = await poll(trial, "wait=60", ...fields);
        demand(answer.status === 200, `A 200 at once with ${JSON.stringify(fields)}.`, shown(answer.head));
      }
    },
  },
  {
    requirement: "R-STR-21",
    level: "stream",
    title: "answers with a 304 where nothing came in time",
    run: async (trial) => {
      const answer = await poll(trial, "wait=1", await knownBy(trial));
      if (answer.status === 200) skip("Somebody wrote meanwhile.");
      demand(answer.status === 304, "A 304.", shown(answer.head));
      demand(
        fieldValue(answer.fields, "preference-applied") === "wait=1",
        "Preference-Applied: wait=1.",
        shown(answer.head),
      );
    },
  },
  {
    requirement: "R-STR-13",
    level: "stream",
    title: "takes the first wait, and none that is no whole number",
    run: async (trial) => {
      const known = await knownBy(trial);
      const first = await poll(trial, "wait=1, wait=60", known);
      demand(first.status === 304 || first.status === 200, "A 304 after a second.", shown(first.head));
      const none = await poll(trial, "wait=60.5", known);
      const applied = fieldValue(none.fields, "preference-applied");
      demand(applied === undefined, "No Preference-Applied.", shown(none.head));
    },
  },
];
