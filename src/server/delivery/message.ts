import { type Body, encodeResponse, type Field } from "../../protocol/index.ts";
import type { Framing } from "../ports/transport.ts";

/** The frames of one message, by framing. */
export type Frames = Map<Framing, Uint8Array>;

/** A message that the hub writes. */
export interface Message {
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body?: Body;
  /** Where others that write the very same message find it ready-made. */
  readonly frames?: Frames | undefined;
}

/** The bytes of a message, as its connection's transport carries it: the one place where messages become bytes. */
export function encodeMessage({ status, fields, body = "", frames }: Message, framing: Framing): Uint8Array {
  const known = frames?.get(framing);
  if (known) return known;
  const frame = framing.frame(encodeResponse({ status, fields, body }));
  frames?.set(framing, frame);
  return frame;
}
