import type { IncomingMessage } from "node:http";
import {
  chooseStream,
  commentEvent,
  createProblem,
  type HttpResponse,
  problemResponse,
  type StreamChoice,
  type StreamKind,
} from "../protocol/index.ts";
import { requestFields } from "./fields.ts";

/** How a stream over plain HTTP is written: its messages, or, for SUBSCRIBE, its batches as patches [R-STR-11]. */
export type AnswerKind = StreamKind | "patch-stream";

/** The stream that a request asks for. */
export interface AnswerChoice extends Omit<StreamChoice, "kind"> {
  readonly kind: AnswerKind;
}

/** What the head of a stream says it is. */
export const streamTypes: Readonly<Record<AnswerKind, string>> = {
  "event-stream": "text/event-stream",
  "http-stream": "application/http;msgtype=response",
  "patch-stream": "text/event-stream",
};

/** What keeps a stream alive and says nothing: a comment [R-STR-6], or an empty line before a status line [R-STR-10]. */
export const signsOfLife: Readonly<Record<AnswerKind, Uint8Array>> = {
  "event-stream": commentEvent,
  "http-stream": new TextEncoder().encode("\r\n"),
  "patch-stream": commentEvent,
};

/** The stream that a request's method and `Accept` ask for; `undefined` where they ask for something else. */
export function chooseAnswer(request: Pick<IncomingMessage, "method" | "rawHeaders">): AnswerChoice | undefined {
  const { method } = request;
  if (method !== "GET" && method !== "HEAD" && method !== "SUBSCRIBE") return undefined;
  const choice = chooseStream(requestFields(request));
  if (method !== "SUBSCRIBE") return choice;
  return choice?.kind === "event-stream" ? { ...choice, kind: "patch-stream" } : undefined;
}

/** The refusal of a SUBSCRIBE over HTTP that does not take what it is answered with [R-STR-20]. */
export function refuseSubscribe(): HttpResponse {
  const detail =
    "Over HTTP, SUBSCRIBE is answered with a stream of JSON Patches: send Accept: text/event-stream. For whole messages, " +
    "GET with that Accept, or open a WebSocket.";
  return problemResponse(createProblem(406, detail));
}
