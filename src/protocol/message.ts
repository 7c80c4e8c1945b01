/** A header field: its name as written, and its value without surrounding white space (RFC 9110 §5). */
export type Field = readonly [name: string, value: string];

/**
 * The content of a message. A string is the body of a text frame (Unicode, sent as UTF-8); bytes are the body of a
 * binary frame.
 */
export type Body = string | Uint8Array;

/** An HTTP/1.1 request as it stands on the wire (RFC 9112 §3). */
export interface HttpRequest {
  /** The method, case-sensitive: `GET`, `SUBSCRIBE`. */
  readonly method: string;
  /** The request target in origin form: path and query, as sent. */
  readonly target: string;
  readonly fields: readonly Field[];
  readonly body: Body;
}

/** An HTTP/1.1 response as it stands on the wire (RFC 9112 §4). */
export interface HttpResponse {
  /** Three digits, 200 to 599: a message is a final answer, so no 1xx. */
  readonly status: number;
  /** The reason phrase; may be empty. */
  readonly reason: string;
  readonly fields: readonly Field[];
  readonly body: Body;
}

/**
 * The value of the first field of that name, compared without case; `undefined` where there is none.
 *
 * @param name - the field's name, in lower case or as usually written
 */
export function fieldValue(fields: readonly Field[], name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const [key, value] of fields) {
    if (key.length === wanted.length && key.toLowerCase() === wanted) return value;
  }
  return undefined;
}
