import {
  chooseStream,
  createProblem,
  type Field,
  type HttpResponse,
  problemResponse,
  type StreamChoice,
  type StreamKind,
} from "../../protocol/index.ts";

/** How a stream over plain HTTP is written: its messages, or, for SUBSCRIBE, its batches as patches [R-STR-11]. */
export type AnswerKind = StreamKind | "patch-stream";

/** The stream that a request asks for. */
export interface AnswerChoice extends Omit<StreamChoice, "kind"> {
  readonly kind: AnswerKind;
}

/** The stream that a request's method and `Accept` ask for; `undefined` where they ask for something else [R-STR-1]. */
export function chooseAnswer(method: string, fields: readonly Field[]): AnswerChoice | undefined {
  if (method !== "GET" && method !== "HEAD" && method !== "SUBSCRIBE") return undefined;
  const choice = chooseStream(fields);
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
