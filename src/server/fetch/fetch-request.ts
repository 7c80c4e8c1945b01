import type { Field } from "../../protocol/index.ts";

/** What a proxy in front sets and the message itself has: a client that names it in `Connection` takes nothing away. */
const isOfAnother = /^(?:content-length|content-type|forwarded|host|trailer|via|x-forwarded-.*|x-real-ip)$/;

/** A request's fields, without those that `Connection` names for one hop (RFC 9110 §7.6.1), and with its host [R-SEC-9]. */
export function fieldsOfRequest({ headers, url }: Request): Field[] {
  const named = (headers.get("connection") ?? "").toLowerCase().split(",");
  const dropped = new Set(
    named.map((name) => name.trim()).filter((name) => name !== "upgrade" && !isOfAnother.test(name)),
  );
  const fields: Field[] = [...headers].filter(([name]) => !dropped.has(name));
  // Over HTTP/2, some platforms have it in the URL alone.
  if (!headers.has("host")) fields.push(["host", new URL(url).host]);
  return fields;
}

/** The path and query that a request is for, as it came. */
export function targetOfRequest({ url }: Request): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** Whether a page of another origin asks. A proxy that ends TLS hides the scheme, so only the hosts are compared [R-SEC-1]. */
export function isForeign({ headers, url }: Request, allowOrigins: readonly string[]): boolean {
  const origin = headers.get("origin");
  // A page of another origin that leaves Origin out is known by this (Fetch Metadata).
  if (origin === null) return /^(?:cross|same)-site$/.test(headers.get("sec-fetch-site") ?? "");
  if (allowOrigins.includes(origin)) return false;
  const host = headers.get("host") ?? new URL(url).host;
  if (!URL.canParse(origin) || !URL.canParse(`http://${host}`)) return true;
  const withoutDefaultPort = (text: string): string => text.replace(/:(?:80|443)$/, "");
  return withoutDefaultPort(new URL(origin).host) !== withoutDefaultPort(new URL(`http://${host}`).host);
}
