import { isDeepStrictEqual } from "node:util";
import { demand, shown, skip } from "../../fault.ts";
import type { ServerEvent } from "../../wire/events.ts";
import { type Field, fieldValue } from "../../wire/http.ts";
import { parseItemsField, resolve, rowUrl } from "../items.ts";
import type { StreamPeer } from "../stream-peer.ts";
import type { ServerCase, Trial } from "../trial.ts";

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

const accept: Field = ["Accept", "text/event-stream"];

async function subscribe(trial: Trial, fields: readonly Field[] = [accept]): Promise<StreamPeer> {
  return trial.stream({ method: "SUBSCRIBE", fields });
}

async function begun(trial: Trial, fields?: readonly Field[]): Promise<StreamPeer> {
  const stream = await subscribe(trial, fields);
  const { status, head } = stream.answer;
  if (status === 406) skip("What changes here is no JSON.");
  demand(status === 200, "A 200.", shown(head));
  const type = fieldValue(stream.answer.fields, "content-type") ?? "";
  demand(/^text\/event-stream/i.test(type), "Content-Type: text/event-stream.", shown(head));
  return stream;
}

function operationsOf({ data, text }: ServerEvent): Operation[] {
  let patch: unknown;
  try {
    patch = JSON.parse(data);
  } catch {
    // Said below.
  }
  demand(Array.isArray(patch), "A JSON array.", shown(text));
  return patch as Operation[];
}

/** Waits for an operation, and gives its event too. */
async function operation(stream: StreamPeer, op: string, path: string): Promise<[Operation, ServerEvent]> {
  const find = (): [Operation, ServerEvent] | undefined => {
    for (const event of stream.events) {
      const found = operationsOf(event).find((one) => one.op === op && one.path === path);
      if (found) return [found, event];
    }
    return undefined;
  };
  await stream.when(`An operation ${op} of ${path}.`, () => find() !== undefined);
  return find() as [Operation, ServerEvent];
}

/** What may be told of a record: what its GET has where its `Items` say, or the list's row, which has nothing around it (R-FLD-2). */
async function recordsAt(trial: Trial, url: string): Promise<unknown[]> {
  const answer = await trial.get(url);
  const document: unknown = JSON.parse(answer.body.toString("utf8"));
  const own = parseItemsField(fieldValue(answer.fields, "items") ?? "")?.record;
  const { items } = trial.survey;
  const record = resolve(document, own ?? items?.record);
  const rows = items && resolve(JSON.parse((await trial.get()).body.toString("utf8")), items.list);
  const row = Array.isArray(rows) ? rows.find((one) => rowUrl(items ?? {}, one, trial.site.target) === url) : undefined;
  return [record, ...(row === undefined ? [] : [row])];
}

/** Patch streams of section 11. */
export const patchStreamCases: readonly ServerCase[] = [
  {
    requirement: "R-STR-11",
    level: "stream",
    title: "gives each batch as one event named patch, with its position and one line of data",
    run: async (trial) => {
      const stream = await begun(trial);
      const { url } = await trial.writer.create();
      const [, { name, id, counts, text }] = await operation(stream, "add", url.replaceAll("~", "~0"));
      demand(name === "patch", "event: patch", shown(text));
      demand(id !== undefined && id !== "", "An id.", shown(text));
      demand(counts.data === 1, "One line of data.", shown(text));
    },
  },
  {
    requirement: "R-STR-12",
    level: "stream",
    title: "tells by add, replace and remove, with the record's URL, and the record without what is around it",
    run: async (trial) => {
      const stream = await begun(trial);
      const written = await trial.writer.create();
      const path = written.url.replaceAll("~", "~0");
      const [added] = await operation(stream, "add", path);
      const records = await recordsAt(trial, written.url);
      const isSame = records.some((record) => isDeepStrictEqual(added.value, record));
      demand(isSame, `The value ${JSON.stringify(records[0])}.`, JSON.stringify(added.value));
      await trial.writer.change(written);
      await operation(stream, "replace", path);
      await trial.writer.destroy(written);
      const [removed] = await operation(stream, "remove", path);
      demand(!("value" in removed), "A remove without value.", JSON.stringify(removed));
    },
  },
  {
    requirement: "R-STR-20",
    level: "stream",
    title: "goes on behind a Last-Event-ID, and refuses one that nobody knows with 410",
    run: async (trial) => {
      if (trial.survey.kind !== "direct") skip("The view has no positions of a journal.");
      const position = fieldValue((await trial.get()).fields, "event-id");
      if (position === undefined) skip("Its GETs have no Event-ID.");
      const { url } = await trial.writer.create();
      await operation(await begun(trial, [accept, ["Last-Event-ID", position]]), "add", url.replaceAll("~", "~0"));
      const { answer } = await subscribe(trial, [accept, ["Last-Event-ID", "rocket-check"]]);
      demand(answer.status === 410, "A 410.", shown(answer.head));
    },
  },
  {
    requirement: "R-STR-20",
    level: "stream",
    title: "answers a SUBSCRIBE that asks for no event stream by none",
    run: async (trial) => {
      for (const asked of ["application/json", "text/event-stream, */*"]) {
        const { answer } = await subscribe(trial, [["Accept", asked]]);
        const type = fieldValue(answer.fields, "content-type") ?? "";
        demand(!/^text\/event-stream/i.test(type), "A 406, or what the application answers.", shown(answer.head));
      }
    },
  },
];
