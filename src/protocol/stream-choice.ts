import { acceptedRanges, type MediaRange } from "./accept.ts";
import type { Field } from "./message.ts";

/** How a stream over plain HTTP is written: as events [R-STR-3], or as HTTP messages one after another [R-STR-9]. */
export type StreamKind = "event-stream" | "http-stream";

/** What a request whose `Accept` asks for a stream wants. */
export interface StreamChoice {
  readonly kind: StreamKind;
  /** The `Accept` of the GET whose answer is followed; absent where that takes anything [R-STR-2]. */
  readonly accept?: string;
}

function streamKind({ type, parameters }: MediaRange): StreamKind | undefined {
  if (type === "text/event-stream") return "event-stream";
  const isOfResponses = (parameters.get("msgtype") ?? "response").toLowerCase() === "response";
  return type === "application/http" && isOfResponses ? "http-stream" : undefined;
}

/**
 * The stream that a request's `Accept` asks for; `undefined` where it asks for a plain answer: where there is none, where it
 * is malformed, and where something else is wanted as much [R-STR-1] [R-STR-2].
 */
export function chooseStream(fields: readonly Field[]): StreamChoice | undefined {
  let chosen: StreamKind | undefined;
  let best = 0;
  const rest: MediaRange[] = [];
  for (const range of acceptedRanges(fields)) {
    const kind = streamKind(range);
    if (!kind) rest.push(range);
    else if (range.weight > best) [chosen, best] = [kind, range.weight];
  }
  if (!chosen || rest.some(({ weight }) => weight >= best)) return undefined;
  const isAnything = rest.every(({ weight }) => weight === 0);
  return isAnything ? { kind: chosen } : { kind: chosen, accept: rest.map(({ text }) => text).join(", ") };
}
