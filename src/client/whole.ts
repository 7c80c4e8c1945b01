import { type Field, fieldValue, type HttpResponse, isNextLink } from "../protocol/index.ts";
import type { Feed } from "./feed.ts";
import { localProblem } from "./problem.ts";

/** A copy of the document with another list at the pointer, whose parts are given, from `at` on. */
function withList(document: unknown, parts: readonly string[], rows: readonly unknown[], at = 1): unknown {
  if (at >= parts.length || typeof document !== "object" || document === null) return rows;
  const key = (parts[at] ?? "").replaceAll("~1", "/").replaceAll("~0", "~");
  return { ...document, [key]: withList(Reflect.get(document, key), parts, rows, at + 1) };
}

/**
 * Writes all that a feed knows as one 200, for whoever comes later; `undefined` where there is nothing yet. A feed whose
 * document can't be written as JSON fails.
 */
export function writeWhole(feed: Feed): HttpResponse | undefined {
  const { position, replica, target } = feed;
  const { opening, isGone, isRecord, document, items, rows } = replica;
  if (!opening || isGone) return undefined;
  const fields = opening.fields.filter(
    ([name]) => !/^(?:etag|event-id|content-length|subscription|request-id)$/i.test(name),
  );
  try {
    const whole = isRecord ? document : withList(document, (items.list ?? "").split("/"), rows);
    if (isRecord) fields.push(["Subscription", replica.recordUrl]);
    const isText = typeof whole === "string" && !/json/.test(fieldValue(fields, "content-type") ?? "");
    const body = whole instanceof Uint8Array || isText ? whole : JSON.stringify(whole);
    return { status: 200, reason: "OK", fields: position ? [...fields, ["Event-ID", position]] : fields, body };
  } catch {
    feed.fail(localProblem(500, `The document at ${target} is nested too deeply.`));
    return undefined;
  }
}

/** Writes what is known of each of several views, by URL. */
export function writeWholes(feeds: Iterable<Feed>): Record<string, HttpResponse> {
  const wholes: Record<string, HttpResponse> = {};
  for (const feed of feeds) {
    const whole = feed.isEnded ? undefined : writeWhole(feed);
    // It may be written into a page for all to see: of the fields only those that a view is made of, no cookie.
    const isKept = (field: Field): boolean =>
      /^(?:content-type|items|item-order|event-id)$/i.test(field[0]) || isNextLink(field);
    const kept = whole?.fields.filter(isKept) ?? [];
    // Without the field, whoever reads it would look for a list.
    const isBare = fieldValue(kept, "items") === undefined;
    const fields: Field[] = isBare ? [...kept, ["Items", 'record=""']] : kept;
    if (whole && typeof whole.body === "string") wholes[feed.target] = { ...whole, fields };
  }
  return wholes;
}
