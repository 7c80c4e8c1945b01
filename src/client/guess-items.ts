import {
  emptyListRule,
  fieldValue,
  formatItems,
  guessRule,
  type HttpResponse,
  type Items,
  itemsOfRule,
  itemUrl,
  type RecordRule,
} from "../protocol/index.ts";
import { bodyJson } from "./problem.ts";

/**
 * Where a document's records most likely are, where the server does not say; `undefined` where it does, or where nothing
 * fits: then the document is one record.
 *
 * @param origin - whose links are the rows' own: `http://example.com`
 */
export function guessOf(message: HttpResponse, target: string, origin: string): RecordRule | undefined {
  if (fieldValue(message.fields, "items") !== undefined) return undefined;
  return guessRule(bodyJson(message), target, new URL(origin).host);
}

/**
 * A 200 that says where its records are by a guess.
 *
 * @param hasUrls - whether one was found at the URL that was made of its key; else that only tells rows apart [R-FLD-14]
 */
export function withGuess(
  message: HttpResponse,
  rule: RecordRule | undefined,
  target: string,
  hasUrls = false,
): HttpResponse {
  const items = rule && formatItems(itemsOfRule(rule, target, hasUrls));
  return items === undefined ? message : { ...message, fields: [...message.fields, ["Items", items]] };
}

/** A 200 of a list that says nothing of where its records are, with a guess that lets no doubt; `undefined` for any other. */
export function surelyGuessed(message: HttpResponse, target: string, origin: string): HttpResponse | undefined {
  const rule = guessOf(message, target, origin);
  return rule && emptyListRule(rule.list, target) ? withGuess(message, rule, target) : undefined;
}

/** The record in a message's body, where nothing says where it is: the body, or the only member of an envelope. */
export function guessRecord(body: unknown, items: Items, url: string): unknown {
  if (typeof body !== "object" || body === null || itemUrl(items, body, url) !== undefined) return body;
  const [only, ...others] = Object.values(body);
  return others.length === 0 && typeof only === "object" && only !== null && !Array.isArray(only) ? only : body;
}
