import { encodeEvent, encodeHttpPart, type StreamKind } from "../protocol/index.ts";
import type { Framing } from "./ports/transport.ts";

/** How messages are written on streams over plain HTTP, by kind [R-STR-3] [R-STR-9]. */
export const streamFramings: Readonly<Record<StreamKind, Framing>> = {
  "event-stream": { frame: encodeEvent },
  "http-stream": { frame: encodeHttpPart },
};
