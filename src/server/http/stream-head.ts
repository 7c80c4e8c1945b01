import {
  commentEvent,
  createProblem,
  encodeRetry,
  type Field,
  fieldValue,
  parseAnyItems,
  problemResponse,
} from "../../protocol/index.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Handshake } from "../stream/handshake.ts";
import type { Opening } from "../stream/opening.ts";
import type { AnswerChoice, AnswerKind } from "./answer-choice.ts";

const types: Readonly<Record<AnswerKind, string>> = {
  "event-stream": "text/event-stream",
  "http-stream": "application/http;msgtype=response",
  "patch-stream": "text/event-stream",
};

/** How long clients wait before they connect again: not all the same time, or they would come back together. */
const retryMs = { least: 1_000, most: 5_000 } as const;

/** A request for a stream, as a handshake of the one subscription that it is. */
export interface StreamAsked {
  readonly method: string;
  readonly target: string;
  readonly fields: readonly Field[];
  readonly peer?: unknown;
}

/** The fields of a stream's head: against caches, transformations, and fronts that hold answers back [R-STR-15]. */
export function streamFields(kind: AnswerKind): readonly Field[] {
  return [
    ["Content-Type", types[kind]],
    ["Cache-Control", "no-store, no-transform"],
    ["X-Accel-Buffering", "no"],
    ["Vary", "Accept"],
  ];
}

/**
 * What a stream begins with, so that something is there at once [R-STR-15] [R-STR-17].
 *
 * @param random - a number in [0, 1)
 */
export function streamStart(kind: AnswerKind, random: number): readonly Uint8Array[] {
  if (kind === "http-stream") return [];
  const { least, most } = retryMs;
  return [commentEvent, encodeRetry(Math.floor(least + random * (most - least)))];
}

/** The handshake of a stream: with the rest of its `Accept` [R-STR-2]. */
export function streamHandshake({ method, target, fields, peer }: StreamAsked, choice: AnswerChoice): Handshake {
  const isPatch = choice.kind === "patch-stream";
  const asked: Field[] = method === "HEAD" ? [["Last-Event-ID", "*"]] : [];
  const rest = fields.filter(([name]) => !/^accept$/i.test(name));
  const accept: Field[] = choice.accept === undefined ? [] : [["Accept", choice.accept]];
  return {
    level: isPatch ? 0 : 1,
    target,
    fields: [...asked, ...rest, ...accept],
    peer,
    ...(isPatch && { hasPositions: true }),
  };
}

/** The plain answer where a stream may not begin: what the GET would refuse, and patches of what is no JSON [R-STR-14] [R-STR-12]. */
export function refuseStream(opening: Opening, { kind }: AnswerChoice): OriginResponse | undefined {
  if (opening.kind === "refused") return opening.response;
  const type = fieldValue(opening.described, "content-type") ?? "";
  if (kind !== "patch-stream" || /[/+]json *(?:;|$)/i.test(type)) return undefined;
  const detail =
    "What changes here is no JSON, which a JSON Patch can't tell. GET with Accept: text/event-stream instead.";
  return problemResponse(createProblem(406, detail));
}

/** The refusal of a stream beyond the number of connections [R-SEC-5]. */
export function refuseOneMore(): OriginResponse {
  const problem = createProblem(503, "The server has as many connections as it takes. Try again later.");
  return problemResponse(problem, [["Retry-After", "5"]]);
}

/** Where a record is in its own body, for a patch stream of what was opened. */
export function recordPlace(opening: Opening): string {
  const items = opening.kind === "refused" ? undefined : fieldValue(opening.described, "items");
  return parseAnyItems(items ?? "")?.record ?? "";
}
