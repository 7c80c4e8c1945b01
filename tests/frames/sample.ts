import { type FrameToSend, opcodes } from "../../src/check/wire/frames.ts";

/** What must come of what is sent. */
export type Outcome =
  /** The message is read: it is answered by its Request-ID. */
  | { readonly kind: "answered" }
  /** The server ends the connection with this code; 1005 is a close frame without one. */
  | { readonly kind: "closed"; readonly code: number }
  /** A pong with that payload. */
  | { readonly kind: "pong"; readonly payload: Buffer }
  /** Nothing at all comes of it: what is sent behind it is answered. */
  | { readonly kind: "ignored" };

/** One row of a table: a section of RFC 6455, what is sent there, and what must come of it. */
export interface FrameCase {
  readonly section: string;
  readonly what: string;
  readonly frames: readonly FrameToSend[];
  readonly outcome: Outcome;
  /** Frames that must not be answered once the connection is closing. */
  readonly late?: readonly FrameToSend[];
}

export const answered: Outcome = { kind: "answered" };
export const ignored: Outcome = { kind: "ignored" };
export const closed = (code: number): Outcome => ({ kind: "closed", code });
export const pong = (payload: string | Buffer): Outcome => ({ kind: "pong", payload: Buffer.from(payload) });

const start = "UNSUBSCRIBE /frames HTTP/1.1\r\nRequest-ID: r\r\n";
/** The shortest message that is answered. */
export const request: string = `${start}\r\n`;

/** A message that is answered, with that body. */
export function withBody(body: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(request), Buffer.from(body)]);
}

/** A message of exactly so many bytes; it is answered where it is long enough to be one. */
export function ofLength(bytes: number): Buffer {
  if (bytes < request.length) return Buffer.from(request.slice(0, bytes));
  const rest = bytes - request.length;
  return withBody("x".repeat(rest));
}

/** What must come of a message of so many bytes. */
export function outcomeOfLength(bytes: number): Outcome {
  return bytes < request.length ? closed(1002) : answered;
}

export const text = (payload: Buffer | string = request, more: Partial<FrameToSend> = {}): FrameToSend => ({
  opcode: opcodes.text,
  payload,
  ...more,
});
export const binary = (payload: Buffer | string = request, more: Partial<FrameToSend> = {}): FrameToSend => ({
  opcode: opcodes.binary,
  payload,
  ...more,
});
export const continuation = (payload: Buffer | string, more: Partial<FrameToSend> = {}): FrameToSend => ({
  opcode: opcodes.continuation,
  payload,
  ...more,
});
export const ping = (payload: Buffer | string = "", more: Partial<FrameToSend> = {}): FrameToSend => ({
  opcode: opcodes.ping,
  payload,
  ...more,
});
export const pongFrame = (payload: Buffer | string = "", more: Partial<FrameToSend> = {}): FrameToSend => ({
  opcode: opcodes.pong,
  payload,
  ...more,
});
export const close = (payload: Buffer | string = "", more: Partial<FrameToSend> = {}): FrameToSend => ({
  opcode: opcodes.close,
  payload,
  ...more,
});

/** A message in several frames, cut at these places. */
export function cut(message: Buffer | string, places: readonly number[], first: 1 | 2 = 1): FrameToSend[] {
  const bytes = Buffer.from(message);
  const ends = [...places, bytes.length];
  return ends.map((end, at) => ({
    opcode: at === 0 ? first : opcodes.continuation,
    payload: bytes.subarray(at === 0 ? 0 : ends[at - 1], end),
    isFinal: at === ends.length - 1,
  }));
}
