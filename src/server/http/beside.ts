import { type Field, fieldValue, matchesEntityTag } from "../../protocol/index.ts";

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

/**
 * Whether a 304 takes the place of an application's answer to a GET that has waited in vain: not where its entity tag is
 * neither one that the request names nor that of the view, for then something has changed that was not told [R-STR-21].
 *
 * @param asked - the request's fields
 * @param known - the fields of the view's 304
 */
export function isUnchanged({ status, fields }: AnswerHead, asked: readonly Field[], known: readonly Field[]): boolean {
  if (status !== 200 && status !== 203) return false;
  const etag = fieldValue(fields, "etag");
  const lists = [fieldValue(asked, "if-none-match"), fieldValue(known, "etag")].filter((list) => list !== undefined);
  return etag === undefined || lists.length === 0 || lists.some((list) => matchesEntityTag(list, etag));
}

/** Those that a 304 has in its place [R-STR-21]. */
export function unchangedFields(head: AnswerHead): Field[] {
  return [...keptFields(head), ...head.fields.filter(([name]) => keptWhereUnchanged.test(name))];
}
