import {
  encodeUrlPart,
  fieldValue,
  formatItems,
  formatPointer,
  type HttpResponse,
  type Items,
  itemUrl,
} from "../protocol/index.ts";
import { bodyJson } from "./problem.ts";

const links = ["/url", "/href", "/self", "/_links/self/href", "/links/self"];
const keys = ["id", "_id", "uuid", "key"];

/**
 * Where a document's records most likely are, for servers that don't say: a list at the top, under the path's last
 * segment, or in the only member that is one; rows named by the first link or key that each has and none shares.
 * `undefined` where nothing fits: then the document is one record.
 */
export function guessItems(document: unknown, target: string): Items | undefined {
  const path = (target.split("?")[0] ?? "").replace(/\/$/, "");
  if (typeof document !== "object" || document === null) return undefined;
  const lists = Array.isArray(document)
    ? []
    : Object.keys(document).filter((name) => Array.isArray(Reflect.get(document, name)));
  const last = path.slice(path.lastIndexOf("/") + 1);
  const name = lists.find((one) => encodeUrlPart(one) === last) ?? (lists.length === 1 ? lists[0] : undefined);
  if (name === undefined && !Array.isArray(document)) return undefined;
  const rows: unknown[] = name === undefined ? document : Reflect.get(document, name);
  const list = name === undefined ? "" : formatPointer(name);
  const candidates: Items[] = [
    ...links.map((link) => ({ list, link })),
    ...keys.map((key) => ({ list, url: `${path}/{${key}}` })),
  ];
  if (rows.length === 0)
    return name === undefined || encodeUrlPart(name) === last ? { list, url: `${path}/{id}` } : undefined;
  return candidates.find((items) => {
    const urls = new Set(rows.map((row) => itemUrl(items, row, target)));
    const isOther = (url: string | undefined): boolean => url !== undefined && !/^\/?$/.test(url.replace(path, ""));
    return urls.size === rows.length && [...urls].every(isOther);
  });
}

/** A 200 that says where its records are; where it does not, they are found by looking. */
export function withItems(message: HttpResponse, target: string): HttpResponse {
  const items = fieldValue(message.fields, "items") === undefined && guessItems(bodyJson(message), target);
  return items ? { ...message, fields: [...message.fields, ["Items", formatItems(items)]] } : message;
}

/** Whether a 200 says where its records are, or lets no doubt. */
export function saysItsList(message: HttpResponse, target: string): boolean {
  if (fieldValue(message.fields, "items") !== undefined) return true;
  const items = guessItems(bodyJson(message), target);
  const last = target.split("?")[0]?.split("/").at(-1) ?? "";
  return items?.list !== undefined && (items.list === "" || encodeUrlPart(items.list.slice(1)) === last);
}

/** The record in a message's body, where nothing says where it is: the body, or the only member of an envelope. */
export function guessRecord(body: unknown, items: Items, url: string): unknown {
  if (typeof body !== "object" || body === null || itemUrl(items, body, url) !== undefined) return body;
  const [only, ...others] = Object.values(body);
  return others.length === 0 && typeof only === "object" && only !== null && !Array.isArray(only) ? only : body;
}
