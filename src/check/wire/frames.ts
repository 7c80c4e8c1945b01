import { randomBytes } from "node:crypto";

/** Opcodes of RFC 6455 §5.2. */
export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A frame as it came. */
export interface Frame {
  readonly isFinal: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved: number;
  readonly opcode: number;
  readonly isMasked: boolean;
  /** Unmasked. */
  readonly payload: Buffer;
}

/** What a frame is made of; it may break every rule. */
export interface FrameToSend {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  /** Default true. */
  readonly isFinal?: boolean;
  /** The three reserved bits, 0 to 7. Default 0. */
  readonly reserved?: number;
  /** The masking key; `none` for an unmasked frame. Default: random. */
  readonly mask?: Uint8Array | "none";
  /** How many bytes say the length: 0, 2 or 8 more. Default: as few as can. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** The length that the head says. Default: that of the payload. */
  readonly saidLength?: number | bigint;
}

function lengthField(length: number | bigint, form: 0 | 2 | 8): Buffer {
  const extra = Buffer.alloc(form);
  if (form === 2) extra.writeUInt16BE(Number(length));
  if (form === 8) extra.writeBigUInt64BE(BigInt(length));
  return extra;
}

function shortestForm(length: number): 0 | 2 | 8 {
  if (length < 126) return 0;
  return length < 65_536 ? 2 : 8;
}

/** The bytes of a frame (RFC 6455 §5.2). */
export function encodeFrame(frame: FrameToSend): Buffer {
  const { opcode, isFinal = true, reserved = 0, mask = randomBytes(4) } = frame;
  const payload = Buffer.from(frame.payload ?? "");
  const length = frame.saidLength ?? payload.length;
  const form = frame.lengthBytes ?? shortestForm(payload.length);
  const short = form === 0 ? Number(length) : form === 2 ? 126 : 127;
  const isMasked = mask !== "none";
  const head = Buffer.from([(isFinal ? 0x80 : 0) | (reserved << 4) | opcode, (isMasked ? 0x80 : 0) | short]);
  const parts = [head, lengthField(length, form)];
  if (mask === "none") return Buffer.concat([...parts, payload]);
  return Buffer.concat([...parts, mask, payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array | string = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason)]);
}

/** Takes a stream of bytes apart into frames. It judges nothing. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** Whether a part of a frame has come. */
  get isWithin(): boolean {
    return this.#bytes.length > 0;
  }

  /** Takes what came; gives the frames that are whole with it. */
  add(bytes: Uint8Array): Frame[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const frames: Frame[] = [];
    for (let frame = this.#take(); frame; frame = this.#take()) frames.push(frame);
    return frames;
  }

  #take(): Frame | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const form = short === 126 ? 2 : short === 127 ? 8 : 0;
    const isMasked = (second & 0x80) !== 0;
    const start = 2 + form + (isMasked ? 4 : 0);
    if (bytes.length < start) return undefined;
    const length = form === 0 ? short : form === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < start + length) return undefined;
    const mask = isMasked ? bytes.subarray(2 + form, start) : Buffer.alloc(4);
    const payload = Buffer.from(bytes.subarray(start, start + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
    this.#bytes = bytes.subarray(start + length);
    return { isFinal: (first & 0x80) !== 0, reserved: (first >> 4) & 7, opcode: first & 15, isMasked, payload };
  }
}
