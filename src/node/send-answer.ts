import type { ServerResponse } from "node:http";
import { createProblem, type Field, problemResponse, reasonPhrase } from "../protocol/index.ts";
import type { OriginResponse } from "../server/index.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { appendField, clearFields, hasField, isUntouched, setField } from "./node-methods.ts";

/** The length that an answer has to say; `undefined` where it has none. */
function lengthOf({ status, body }: OriginResponse, isHead: boolean): number | undefined {
  if (status === 204 || status === 304) return undefined;
  const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  // A HEAD answer that made no body does not know its length.
  return isHead && length === 0 ? undefined : length;
}

/** Writes the head of an answer as it is, without setting its fields on the response one by one first. */
function writeHeadAtOnce(response: ServerResponse, answer: OriginResponse, extra: readonly Field[]): void {
  const list: string[] = [];
  let hasLength = false;
  for (const fields of [answer.fields, extra]) {
    for (const [name, value] of fields) {
      list.push(name, value);
      hasLength ||= name.length === 14 && name.toLowerCase() === "content-length";
    }
  }
  const length = hasLength ? undefined : lengthOf(answer, response.req.method === "HEAD");
  if (length !== undefined) list.push("Content-Length", String(length));
  response.writeHead(answer.status, reasonPhrase(answer.status), list);
}

function writeFields(
  response: ServerResponse,
  writer: AnswerWriter,
  answer: OriginResponse,
  extra: readonly Field[],
): void {
  for (const [name, value] of [...answer.fields, ...extra]) appendField(response, name, value);
  const length = lengthOf(answer, response.req.method === "HEAD");
  if (length !== undefined && !hasField(response, "content-length")) {
    setField(response, "Content-Length", String(length));
  }
  // HTTP/2 has no reason, and Node warns of one.
  if (response.req.httpVersionMajor === 2) writer.writeHead(answer.status);
  else writer.writeHead(answer.status, reasonPhrase(answer.status));
}

/**
 * Has a response be its connection's last where the request's body comes in chunks and nobody reads it: what nobody counts
 * the chunks of is not parsed, either [R-SEC-5].
 */
export function closeWhereUnread(response: ServerResponse): void {
  const { headers, complete, readableFlowing } = response.req;
  if (headers["transfer-encoding"] !== undefined && !complete && readableFlowing === null) {
    response.shouldKeepAlive = false;
  }
}

/**
 * Writes an answer; one that can't be written as HTTP is a 500, and thrown.
 *
 * @param extra - further fields
 * @param own - what it is written with. Default: the response's own methods
 */
export function sendAnswer(
  response: ServerResponse,
  answer: OriginResponse,
  extra: readonly Field[] = [],
  own?: AnswerWriter,
): void {
  const isHead = response.req.method === "HEAD";
  closeWhereUnread(response);
  const isAtOnce = own === undefined && isUntouched(response);
  const writer = own ?? new AnswerWriter(response);
  writer.clear();
  try {
    if (isAtOnce) writeHeadAtOnce(response, answer, extra);
    else writeFields(response, writer, answer, extra);
  } catch (error) {
    clearFields(response);
    const problem = problemResponse(createProblem(500, "The request could not be answered."));
    writeFields(response, writer, problem, []);
    writer.end(isHead ? undefined : problem.body);
    throw error;
  }
  const hasBody = !isHead && answer.status !== 204 && answer.status !== 304;
  writer.end(hasBody ? answer.body : undefined);
}
