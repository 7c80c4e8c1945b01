import type { ServerResponse } from "node:http";
import { createProblem, type Field, problemResponse, reasonPhrase } from "../protocol/index.ts";
import type { OriginResponse } from "../server/index.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { appendField, clearFields, hasField, setField } from "./node-methods.ts";

function writeFields(
  response: ServerResponse,
  writer: AnswerWriter,
  answer: OriginResponse,
  extra: readonly Field[],
): void {
  const isHead = response.req.method === "HEAD";
  for (const [name, value] of [...answer.fields, ...extra]) appendField(response, name, value);
  const hasBody = answer.status !== 204 && answer.status !== 304;
  const length = typeof answer.body === "string" ? Buffer.byteLength(answer.body) : answer.body.length;
  // A HEAD answer that made no body does not know its length.
  if (hasBody && !hasField(response, "content-length") && (!isHead || length > 0)) {
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
 */
export function sendAnswer(
  response: ServerResponse,
  answer: OriginResponse,
  extra: readonly Field[] = [],
  writer: AnswerWriter = new AnswerWriter(response),
): void {
  const isHead = response.req.method === "HEAD";
  closeWhereUnread(response);
  writer.clear();
  try {
    writeFields(response, writer, answer, extra);
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
