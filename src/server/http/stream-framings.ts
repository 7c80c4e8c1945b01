import { encodeEvent, encodeHttpPart, encodePatchLine, type StreamKind } from "../../protocol/index.ts";
import type { Framing } from "../ports/transport.ts";

/** How messages are written on streams over plain HTTP, by kind [R-STR-3] [R-STR-9]. */
export const streamFramings: Readonly<Record<StreamKind, Framing>> = {
  "event-stream": { frame: encodeEvent },
  "http-stream": { frame: encodeHttpPart },
};

const maxKept = 100;
const patchFramings = new Map<string, Framing>();

/**
 * How notifications are written for a patch stream: as the lines of a `PatchCollector`, which makes events of them. The same
 * object for the same place, as long as there are not many of them.
 *
 * @param record - where a record is in its own body, as in `Items`
 */
export function patchFramingOf(record: string): Framing {
  const known = patchFramings.get(record);
  if (known) return known;
  const framing: Framing = { frame: (message) => encodePatchLine(message, record) };
  if (patchFramings.size >= maxKept) patchFramings.clear();
  patchFramings.set(record, framing);
  return framing;
}
