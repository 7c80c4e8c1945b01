import type { Framing } from "./transport.ts";

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
