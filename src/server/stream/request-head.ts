import { type Body, decodeRequest, type Field, type MessageLimits } from "../../protocol/index.ts";

/** What is kept of a request while it waits: all that an answer needs. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  /** True where it came with a body that is not empty. */
  readonly hasBody: boolean;
  /** Empty where none is served with that method, too: then there is only what its refusal needs. */
  readonly body: Body;
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
 * Reads a message of a peer as a request.
 *
 * @param takesBody - tells by the method whether the body is kept
 * @throws ProtocolError where it is no request, or larger than the limits
 */
export function readRequestHead(
  data: Body,
  limits: MessageLimits,
  takesBody: (method: string) => boolean,
): RequestHead {
  const { method, target, fields, body } = decodeRequest(data, limits);
  const hasBody = body.length > 0;
  if (!hasBody || takesBody(method)) {
    return { method, target, fields, hasBody, body, bytes: bytesOf(method, target, fields) + body.length };
  }
  const kept: Field[] = [];
  for (const [name, value] of fields) {
    if (/^(?:request-id|host)$/i.test(name)) kept.push([copyOf(name), copyOf(value)]);
  }
  const named = copyOf(method);
  return { method: named, target: "", fields: kept, hasBody, body: "", bytes: bytesOf(named, "", kept) };
}
