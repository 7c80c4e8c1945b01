/** Takes the chunks of a transfer coding off, as they come. */
export class ChunkReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** True once the last chunk came. */
  hasEnded = false;

  add(bytes: Buffer): Buffer {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const parts: Buffer[] = [];
    while (!this.hasEnded) {
      const end = this.#bytes.indexOf("\r\n");
      if (end < 0) break;
      const size = Number.parseInt(this.#bytes.toString("latin1", 0, end), 16);
      if (!(size > 0)) this.hasEnded = true;
      else if (this.#bytes.length < end + size + 4) break;
      else {
        parts.push(this.#bytes.subarray(end + 2, end + 2 + size));
        this.#bytes = this.#bytes.subarray(end + size + 4);
      }
    }
    return Buffer.concat(parts);
  }
}
