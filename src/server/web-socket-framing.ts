import type { Framing } from "./ports/transport.ts";

const encoder = new TextEncoder();
const textOpcode = 0x81;
const binaryOpcode = 0x82;

/** A message as one unmasked WebSocket frame, as a server sends it (RFC 6455 §5.2): final, text or binary. */
function frame(message: string | Uint8Array): Uint8Array {
  const payload = typeof message === "string" ? encoder.encode(message) : message;
  const length = payload.length;
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const framed = new Uint8Array(headBytes + length);
  framed[0] = typeof message === "string" ? textOpcode : binaryOpcode;
  if (headBytes === 2) {
    framed[1] = length;
  } else if (headBytes === 4) {
    framed[1] = 126;
    framed[2] = length >>> 8;
    framed[3] = length & 0xff;
  } else {
    framed[1] = 127;
    new DataView(framed.buffer).setBigUint64(2, BigInt(length));
  }
  framed.set(payload, headBytes);
  return framed;
}

/** Ready-made WebSocket frames. They can be written between whole frames of an uncompressed connection. */
export const webSocketFraming: Framing = { frame };

/** A frame that a server wrote: one message. */
export interface Frame {
  readonly isText: boolean;
  readonly payload: Uint8Array;
}

/** The frames in what a server wrote at once: whole, unmasked, with a text or binary message each (RFC 6455 §5.2). */
export function* framesIn(bytes: Uint8Array): Generator<Frame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const isText = view.getUint8(at) === 0x81;
    const short = view.getUint8(at + 1);
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    const length = short < 126 ? short : short === 126 ? view.getUint16(at + 2) : Number(view.getBigUint64(at + 2));
    const start = at + headBytes;
    yield { isText, payload: bytes.subarray(start, start + length) };
    at = start + length;
  }
}
