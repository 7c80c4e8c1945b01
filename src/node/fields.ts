import type { IncomingMessage } from "node:http";
import type { Field } from "../protocol/index.ts";

const colon = 0x3a;

/** A request's fields as they came, in order; of HTTP/2's own, which begin with a colon, only the host, as `Host`. */
export function requestFields({ rawHeaders }: Pick<IncomingMessage, "rawHeaders">): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    if (name.charCodeAt(0) !== colon) fields.push([name, rawHeaders[at + 1] ?? ""]);
    else if (name === ":authority") fields.push(["Host", rawHeaders[at + 1] ?? ""]);
  }
  return fields;
}

/** True for a field by which a proxy says whom it forwards for. Name in lower case. */
export function isForwardingField(name: string): boolean {
  return name === "forwarded" || name === "x-real-ip" || name.startsWith("x-forwarded-");
}

/** Fields that belong to the message. */
const ofTheMessage = new Set(["content-length", "content-type", "host", "trailer", "via"]);

const none: ReadonlySet<string> = new Set();

/**
 * The fields that `Connection` names as meant for one hop (RFC 9110 §7.6.1), in lower case. Those of the message are not
 * among them, nor those of a proxy in front: a client that names them would pass for the proxy itself.
 */
export function nominatedFields(raw: readonly string[]): ReadonlySet<string> {
  let names: Set<string> | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] ?? "";
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    const value = (raw[at + 1] ?? "").toLowerCase();
    if (value === "keep-alive" || value === "close" || value === "upgrade") continue;
    names ??= new Set();
    for (const token of value.split(",")) {
      const one = token.trim();
      if (!ofTheMessage.has(one) && !isForwardingField(one)) names.add(one);
    }
  }
  return names ?? none;
}

/** A handshake's fields without those that `Connection` names: they are not the viewer's [R-SEC-9]. */
export function handshakeFields(request: Pick<IncomingMessage, "rawHeaders">): Field[] {
  const dropped = nominatedFields(request.rawHeaders);
  return requestFields(request).filter(([name]) => !dropped.has(name.toLowerCase()));
}
