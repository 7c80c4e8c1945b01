import type { IncomingMessage } from "node:http";
import type { Field } from "../protocol/index.ts";

/** A request's fields as they came, in order. */
export function requestFields({ rawHeaders }: IncomingMessage): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) fields.push([rawHeaders[at] ?? "", rawHeaders[at + 1] ?? ""]);
  return fields;
}
