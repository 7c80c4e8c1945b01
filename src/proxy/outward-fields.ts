import { formatItems, parseAnyItems } from "../protocol/index.ts";
import type { BasePath } from "../server/index.ts";
import type { RawFields } from "./fields.ts";

const referring = new Set(["content-location", "link", "location", "set-cookie"]);

function hostIn(sent: RawFields): string {
  const at = sent.findIndex((name, place) => place % 2 === 0 && name.toLowerCase() === "host");
  return sent[at + 1]?.toLowerCase() ?? "";
}

/** A reference of the upstream as clients see it: a path, or a URL of the host that the upstream was asked as. */
function outward(reference: string, host: string, basePath: BasePath): string {
  if (reference.startsWith("/") && !reference.startsWith("//")) return basePath.add(reference);
  const [start = "", authority] = /^https?:\/\/([^/?#]*)/i.exec(reference) ?? [];
  if (authority?.toLowerCase() !== host) return reference;
  const rest = reference.slice(start.length);
  return start + basePath.add(rest.startsWith("/") ? rest : `/${rest}`);
}

/** The upstream's `Items`, with the template of its records' URLs as clients see them. */
function outwardItems(field: string, basePath: BasePath): string {
  const { url, ...items } = parseAnyItems(field) ?? {};
  return url === undefined || url.startsWith("//") ? field : formatItems({ ...items, url: basePath.add(url) });
}

/**
 * An answer's fields with the upstream's own paths put below the base path: where `Location`, `Content-Location`, `Link`
 * and `Items` lead, and where cookies belong, but for those that belong everywhere.
 *
 * @param sent - the fields of the request that is answered
 */
export function outwardFields(fields: string[], sent: RawFields, basePath: BasePath): string[] {
  if (basePath.text === "") return fields;
  const host = hostIn(sent);
  const place = (reference: string): string => outward(reference, host, basePath);
  return fields.map((value, at) => {
    const name = at % 2 === 1 ? (fields[at - 1] ?? "").toLowerCase() : "";
    if (name === "items") return outwardItems(value, basePath);
    if (!referring.has(name)) return value;
    if (name === "link") return value.replace(/<([^<>]*)>/g, (_, reference: string) => `<${place(reference)}>`);
    if (name !== "set-cookie") return place(value);
    return value.replace(/(;\s*Path=)(\/[^;\s]+)/i, (_, start: string, path: string) => start + basePath.add(path));
  });
}
