import { fieldValue } from "./http.ts";
import { readMessage } from "./messages.ts";

/** A part of an HTTP stream. */
export interface Part {
  readonly bytes: Buffer;
  /** What is wrong with how it is framed. */
  readonly flaw: string | undefined;
}

/** Reads an HTTP stream: messages one after another, each with its length. */
export class PartReader {
  #bytes: Buffer = Buffer.alloc(0);
  /** How many empty lines stood before messages. */
  emptyLines = 0;

  add(bytes: Buffer): Part[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const parts: Part[] = [];
    for (let part = this.#next(); part; part = this.#next()) parts.push(part);
    return parts;
  }

  #next(): Part | undefined {
    while (this.#bytes.indexOf("\r\n") === 0) {
      this.emptyLines += 1;
      this.#bytes = this.#bytes.subarray(2);
    }
    const end = this.#bytes.indexOf("\r\n\r\n");
    if (end < 0) return undefined;
    const { status, fields } = readMessage(this.#bytes.subarray(0, end + 4), false, "response");
    const length = fieldValue(fields, "content-length");
    const isBare = status === 204 || status === 304;
    const size = isBare ? 0 : Number(length ?? 0);
    if (this.#bytes.length < end + 4 + size) return undefined;
    const part = this.#bytes.subarray(0, end + 4 + size);
    this.#bytes = this.#bytes.subarray(end + 4 + size);
    const flaw =
      isBare === (length === undefined)
        ? undefined
        : `A ${status} has ${length === undefined ? "no" : "a"} Content-Length.`;
    return { bytes: part, flaw };
  }
}
