/** A frame of a WebSocket (RFC 6455 §5), its payload unmasked. */
export interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

interface Head {
  readonly length: number;
  readonly payloadLength: number;
  readonly mask: Buffer | undefined;
}

function headOf(bytes: Buffer): Head | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes.readUInt8(1) & 0x7f;
  const isMasked = (bytes.readUInt8(1) & 0x80) !== 0;
  const start = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  const length = start + (isMasked ? 4 : 0);
  if (bytes.length < length) return undefined;
  const payloadLength =
    short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  return { length, payloadLength, mask: isMasked ? bytes.subarray(start, length) : undefined };
}

/** Frames out of the bytes of a connection, in whatever pieces they come. */
export class FrameReader {
  #bytes: Buffer = Buffer.alloc(0);

  /** The frames that are whole with these bytes. */
  take(bytes: Buffer): Frame[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const frames: Frame[] = [];
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame);
    return frames;
  }

  #next(): Frame | undefined {
    const head = headOf(this.#bytes);
    if (!head) return undefined;
    const { length, payloadLength, mask } = head;
    const end = length + payloadLength;
    if (this.#bytes.length < end) return undefined;
    const first = this.#bytes.readUInt8(0);
    const payload = Buffer.from(this.#bytes.subarray(length, end));
    if (mask) for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0);
    this.#bytes = this.#bytes.subarray(end);
    return { opcode: first & 0x0f, isFinal: (first & 0x80) !== 0, payload };
  }
}

/** Opcodes. */
export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
