import { isDeepStrictEqual } from "node:util";
import { demand, shown, skip } from "../../fault.ts";
import { type Field, fieldValue } from "../../wire/http.ts";
import { fieldOf, jsonOf, type Message } from "../../wire/messages.ts";
import type { Follower } from "../follower.ts";
import { resolve, rowUrl } from "../items.ts";
import { patched, within } from "../merge-patch.ts";
import { isDelta } from "../replica.ts";
import type { ServerCase, Trial } from "../trial.ts";
import type { Written } from "../writer.ts";

const named: Field = ["Accept", "application/json, application/merge-patch+json"];

function requireDeltas({ survey }: Trial): void {
  if (survey.kind !== "direct" || !survey.promises.includes("merge-patch")) skip("It promises no deltas here.");
}

async function patch(trial: Trial, { url }: Written, values: Readonly<Record<string, unknown>>): Promise<void> {
  const fields: Field[] = [["Content-Type", "application/json"]];
  const { status } = await trial.request({ method: "PATCH", target: url, fields, body: JSON.stringify(values) });
  if (status >= 300) skip(`A PATCH of the record is answered ${status}.`);
}

/** Makes a record, and changes a text of it. */
async function changing(trial: Trial): Promise<{
  readonly written: Written;
  /** Changes it again, and gives the notification of that. */
  readonly change: (follower: Follower) => Promise<Message>;
}> {
  const written = await trial.writer.create();
  const texts = Object.keys(written.row).filter((name) => typeof written.row[name] === "string");
  const [text, long] = [texts[0], texts.at(-1)];
  if (text === undefined || long === undefined) skip("Its records have no text.");
  // With a long one beside it, the change is told in less than the record.
  if (long !== text) await patch(trial, written, { [long]: "long".repeat(200) });
  let count = 0;
  const change = async (follower: Follower): Promise<Message> => {
    count += 1;
    await patch(trial, written, { [text]: `${String(written.row[text])} ${count}` });
    return follower.until(`A 202 for ${written.url}.`, about(written.url));
  };
  return { written, change };
}

function about(url: string): (message: Message) => boolean {
  return (message) => message.status === 202 && fieldOf(message, "content-location") === url;
}

/** Section 11, deltas. */
export const deltaCases: readonly ServerCase[] = [
  {
    requirement: "R-DELTA-1",
    level: 1,
    title: "sends no delta to who does not name it",
    run: async (trial) => {
      const { change } = await changing(trial);
      const anything = ["*/*, application/*;q=0.9", "application/json", "application/merge-patch+json;q=0, */*"];
      for (const accept of anything) {
        const follower = await trial.follow({ fields: [["Accept", accept]] });
        const message = await change(follower);
        demand(!isDelta(message), `The record itself for Accept: ${accept}.`, shown(message.text));
      }
    },
  },
  {
    requirement: "R-DELTA-2",
    level: 1,
    title: "sends deltas that lead from what a GET answered to what it answers",
    run: async (trial) => {
      requireDeltas(trial);
      const { written, change } = await changing(trial);
      const follower = await trial.follow({ fields: [named] });
      const before = await trial.get(written.url);
      const message = await change(follower);
      if (!isDelta(message)) skip("It sends the record itself, as it may.");
      const after = jsonOf(await trial.get(written.url));
      const made = patched(jsonOf(before), jsonOf(message));
      demand(isDeepStrictEqual(made, after), JSON.stringify(after), JSON.stringify(made));
      await follower.converge("What the stream gave equals a GET.");
    },
  },
  {
    requirement: "R-DELTA-5",
    level: 1,
    title: "opens for who names deltas as for others",
    run: async (trial) => {
      requireDeltas(trial);
      const plain = await trial.follow({ without: ["Accept"] });
      const asking = await trial.follow({ fields: [["Accept", "application/merge-patch+json"]] });
      const [one, other] = [plain.opening, asking.opening].map(({ fields, body }) => ({
        type: fieldValue(fields, "content-type"),
        body: body.toString("utf8"),
      }));
      demand(isDeepStrictEqual(one, other), shown(plain.opening.text), shown(asking.opening.text));
    },
  },
  {
    requirement: "R-DELTA-6",
    level: 1,
    title: "has the tags of a GET before and after on each delta",
    run: async (trial) => {
      requireDeltas(trial);
      const { written, change } = await changing(trial);
      const follower = await trial.follow({ fields: [named] });
      const before = fieldValue((await trial.get(written.url)).fields, "etag");
      const message = await change(follower);
      if (!isDelta(message)) skip("It sends the record itself, as it may.");
      const after = fieldValue((await trial.get(written.url)).fields, "etag");
      demand(fieldOf(message, "delta-base") === before, `Delta-Base: ${before}`, shown(message.text));
      demand(fieldOf(message, "etag") === after, `ETag: ${after}`, shown(message.text));
      demand(before?.startsWith('"') === true, "A strong tag.", String(before));
    },
  },
  {
    requirement: "R-DELTA-6",
    level: 1,
    title: "sends whole records to who resumes, until it is caught up",
    run: async (trial) => {
      requireDeltas(trial);
      const { written, change } = await changing(trial);
      const first = await trial.follow({ fields: [named] });
      const { position } = first;
      await change(first);
      const { missed } = await trial.follow({
        fields: [named, ["Last-Event-ID", position]],
        replica: first.replica,
      });
      const found = missed.find(about(written.url));
      demand(found !== undefined && !isDelta(found), "A 202 with the record itself.", shown(found?.text ?? ""));
    },
  },
  {
    requirement: "R-DELTA-7",
    level: "http",
    title: "has rows that are what their own GETs answer, with nothing beside them",
    run: async (trial) => {
      requireDeltas(trial);
      const { items, rows } = trial.survey;
      const row = rows.at(-1);
      const url = items && rowUrl(items, row, trial.site.target);
      if (!items || url === undefined) skip("The resource is no collection with rows.");
      const document = jsonOf(await trial.get(url));
      const expected = within(items.record ?? "", row);
      demand(isDeepStrictEqual(document, expected), JSON.stringify(expected), JSON.stringify(document));
      demand(isDeepStrictEqual(resolve(document, items.record), row), JSON.stringify(row), JSON.stringify(document));
    },
  },
];
