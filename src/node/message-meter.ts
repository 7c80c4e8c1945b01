/** What a piece of its own costs beside its bytes, about. */
const pieceBytes = 128;
const longestHead = 14;

/**
 * Counts what has come of a message that is not whole yet, by the heads of a WebSocket's frames (RFC 6455 §5.2): whoever
 * reads the messages keeps it, and tells of whole ones only.
 */
export class MessageMeter {
  /** The head of a frame, as far as it has come. */
  readonly #head: Buffer = Buffer.alloc(longestHead);
  #headBytes = 0;
  /** What is to come of the frame's payload. */
  #rest = 0;
  /** How long the frame is, with its head; 0 while that is not known. */
  #frameBytes = 0;
  /** Frames of a message that goes on. */
  #messageBytes = 0;
  #pieces = 0;

  /** How many bytes are kept, about; 0 where no message is unfinished. */
  get bytes(): number {
    const begun = this.#frameBytes === 0 ? this.#headBytes : this.#frameBytes - this.#rest;
    const bytes = this.#messageBytes + begun;
    return bytes === 0 ? 0 : bytes + Math.max(1, this.#pieces) * pieceBytes;
  }

  /** Takes what came, in order. */
  add(piece: Uint8Array): void {
    this.#pieces += 1;
    let at = 0;
    while (at < piece.length) {
      if (this.#frameBytes === 0) {
        this.#readHead(piece[at] ?? 0);
        at += 1;
      } else {
        const taken = Math.min(this.#rest, piece.length - at);
        this.#rest -= taken;
        at += taken;
      }
      if (this.#frameBytes > 0 && this.#rest === 0) this.#endFrame();
    }
  }

  #readHead(byte: number): void {
    const head = this.#head;
    head[this.#headBytes] = byte;
    this.#headBytes += 1;
    if (this.#headBytes < 2) return;
    const second = head[1] ?? 0;
    const short = second & 0x7f;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const maskBytes = second & 0x80 ? 4 : 0;
    if (this.#headBytes < 2 + lengthBytes + maskBytes) return;
    if (lengthBytes === 0) this.#rest = short;
    else if (lengthBytes === 2) this.#rest = head.readUInt16BE(2);
    else this.#rest = Number(head.readBigUInt64BE(2));
    this.#frameBytes = this.#headBytes + this.#rest;
  }

  #endFrame(): void {
    const first = this.#head[0] ?? 0;
    const isControl = (first & 0x08) !== 0;
    const isFinal = (first & 0x80) !== 0;
    if (!isControl) this.#messageBytes = isFinal ? 0 : this.#messageBytes + this.#frameBytes;
    if (this.#messageBytes === 0) this.#pieces = 0;
    this.#frameBytes = 0;
    this.#headBytes = 0;
  }
}
