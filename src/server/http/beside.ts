import { type Field, fieldValue } from "../../protocol/index.ts";

/** The head of an application's answer. */
export interface AnswerHead {
  readonly status: number;
  readonly fields: readonly Field[];
}

const isStream = /^\s*(?:text\/event-stream|application\/http)\s*(?:;|$)/i;
const kept = /^(?:access-control-.*|set-cookie|vary)$/i;
const keptWhereUnchanged = /^(?:cache-control|content-location|etag|expires)$/i;

/** Whether Rocket's own stream takes the place of an application's answer with this head [R-STR-23]. */
export function isNoStream({ status, fields }: AnswerHead): boolean {
  if (status === 304 || status === 406) return true;
  const isContent = status >= 200 && status < 300 && status !== 204 && status !== 205;
  return isContent && !isStream.test(fieldValue(fields, "content-type") ?? "");
}

/** The fields of an application's answer that are the stream's, too, in its place [R-STR-23]. */
export function keptFields({ fields }: AnswerHead): Field[] {
  return fields.filter(([name]) => kept.test(name));
}

/** Those that a 304 has in its place [R-STR-21]. */
export function unchangedFields(head: AnswerHead): Field[] {
  return [...keptFields(head), ...head.fields.filter(([name]) => keptWhereUnchanged.test(name))];
}
