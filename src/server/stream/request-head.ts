import { type Body, decodeRequest, type Field, type MessageLimits } from "../../protocol/index.ts";

/** What is kept of a request while it waits: all that an answer needs, and never its body. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** True where it came with a body that is not empty: then there is only what its refusal needs. */
  readonly hasBody: boolean;
  /** About how many bytes it keeps. */
  readonly bytes: number;
}

/** A text that does not keep the one in memory that it was cut from. */
function copyOf(text: string): string {
  return [...text].join("");
}

function bytesOf(method: string, target: string, fields: readonly Field[]): number {
  return fields.reduce((bytes, [name, value]) => bytes + name.length + value.length, method.length + target.length);
}

/**
 * Reads a message of a peer as a request, and drops its body.
 *
 * @throws ProtocolError where it is no request, or larger than the limits
 */
export function readRequestHead(data: Body, limits: MessageLimits): RequestHead {
  const { method, target, fields, body } = decodeRequest(data, limits);
  if (body.length === 0) return { method, target, fields, hasBody: false, bytes: bytesOf(method, target, fields) };
  const kept: Field[] = [];
  for (const [name, value] of fields) {
    if (/^(?:request-id|host)$/i.test(name)) kept.push([copyOf(name), copyOf(value)]);
  }
  const named = copyOf(method);
  return { method: named, target: "", fields: kept, hasBody: true, bytes: bytesOf(named, "", kept) };
}
