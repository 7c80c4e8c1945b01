import type { Field } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import type { Steps } from "../engine/steps.ts";
import { jsonFormat, notSingle } from "./formats.ts";
import type { PageLimits } from "./live.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";
import type { WriteRequest } from "./write-request.ts";

/**
 * Records as JSON.
 *
 * @throws Refusal 422 where they are too big for an answer
 */
function* showAll<Item>(
  items: readonly Item[],
  show: (item: Item) => Steps<string | undefined>,
  { maxPageBytes }: PageLimits,
): Steps<string[]> {
  const records: string[] = [];
  let bytes = 0;
  for (const item of items) {
    const json = yield* show(item);
    if (json === undefined) continue;
    bytes += Buffer.byteLength(json);
    if (bytes > maxPageBytes && records.length > 0) {
      const way = "Nothing was written: write fewer of them at once, or say Prefer: return=minimal.";
      throw new Refusal(422, `The records would have more than ${maxPageBytes} bytes in all. ${way}`);
    }
    records.push(json);
  }
  return records;
}

/**
 * A list of records that are written.
 *
 * @param items - what stands for them
 * @param show - gives one as JSON; `undefined` where it is not there, or what is embedded does not let it through
 * @throws Refusal 422 where they are too big for an answer
 */
export function* answerRecords<Item>(
  resource: Resource,
  items: readonly Item[],
  show: (item: Item) => Steps<string | undefined>,
  { selected, limits, format }: Pick<WriteRequest, "selected" | "limits" | "format">,
): Steps<OriginResponse> {
  const records = yield* showAll(items, show, limits);
  const selection = selected?.selection;
  if (format.isSingle && records.length !== 1) throw notSingle(records.length);
  const places: Field[] = format !== jsonFormat ? [] : [["Items", (selection ?? resource).items]];
  const fields: Field[] = [["Content-Type", format.contentType], ...places];
  return { status: 200, fields, body: format.join(resource, records, undefined, selection) };
}
