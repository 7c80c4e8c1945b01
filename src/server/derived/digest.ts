const prime = { a: 0x9e3779b1, b: 0x85ebca77, c: 0xc2b2ae3d, d: 0x27d4eb2f } as const;

/** How many words of 32 bits a digest has. */
export const digestWords = 4;

/** The next word mixed into a lane (multiply, rotate, as xxHash has it). */
function mix(state: number, word: number, prime: number): number {
  const mixed = Math.imul(state ^ word, prime);
  return (mixed << 13) | (mixed >>> 19);
}

/** Has every bit of a lane count for every other. */
function spread(state: number): number {
  let mixed = state ^ (state >>> 15);
  mixed = Math.imul(mixed, prime.b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, prime.c);
  return mixed ^ (mixed >>> 16);
}

/** Four lanes; words go to two pairs of them in turn, so that one word costs two steps. */
class Digest {
  #a = 1;
  #b = 2;
  #c = 3;
  #d = 5;

  /** Characters of a text from `start` to `end`. */
  text(text: string, start: number, end: number): void {
    const whole = end - ((end - start) & 3);
    // As `#add`, in local variables: a large document is digested before its difference is sent.
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let at = start; at < whole; at += 4) {
      const even = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
      const odd = text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16);
      a = mix(a, even, prime.a);
      b = mix(b, (even + a) | 0, prime.b);
      c = mix(c, odd, prime.c);
      d = mix(d, (odd + c) | 0, prime.d);
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
    for (let at = whole; at < end; at += 1) this.#add(text.charCodeAt(at), at - whole);
    this.#add(end - start, whole - end);
  }

  bytes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = bytes.length - (bytes.length % 8);
    for (let at = 0; at < whole; at += 8) this.#add(view.getInt32(at), view.getInt32(at + 4));
    for (let at = whole; at < bytes.length; at += 1) this.#add(bytes[at] ?? 0, at - whole);
  }

  words(words: Int32Array): void {
    for (let at = 0; at < words.length; at += 2) this.#add(words[at] ?? 0, words[at + 1] ?? 0);
  }

  /** Puts what came of it into `words`, from `at` on. */
  write(words: Int32Array, at: number): void {
    const { imul } = Math;
    // What one pair saw counts for the other, too.
    words[at] = spread(this.#a ^ imul(this.#d, prime.a));
    words[at + 1] = spread(this.#b ^ imul(this.#c, prime.b));
    words[at + 2] = spread(this.#c + imul(this.#b, prime.c));
    words[at + 3] = spread(this.#d + imul(this.#a, prime.d));
  }

  toString(): string {
    const words = new Int32Array(digestWords);
    this.write(words, 0);
    return Array.from(words, (word) => (word >>> 0).toString(36).padStart(7, "0")).join("");
  }

  #add(even: number, odd: number): void {
    this.#a = mix(this.#a, even, prime.a);
    this.#b = mix(this.#b, (even + this.#a) | 0, prime.b);
    this.#c = mix(this.#c, odd, prime.c);
    this.#d = mix(this.#d, (odd + this.#c) | 0, prime.d);
  }
}

/** Puts the digest of a piece of a text into `words`, from `at` on. */
export function digestPiece(text: string, start: number, end: number, words: Int32Array, at: number): void {
  const digest = new Digest();
  digest.text(text, start, end);
  digest.write(words, at);
}

/** Digests a text that is cut at some places. @param end - where the last piece ends */
export function digestPieces(text: string, starts: readonly number[], end: number): PiecedText {
  const digests = new Int32Array(starts.length * digestWords);
  starts.forEach((start, at) => {
    digestPiece(text, start, starts[at + 1] ?? end, digests, at * digestWords);
  });
  return { start: starts[0] ?? end, end, digests };
}

/** A text in pieces, of which those in the middle are digested already. */
export interface PiecedText {
  /** Where the first of them begins, and where the last one ends. */
  readonly start: number;
  readonly end: number;
  readonly digests: Int32Array;
}

/**
 * A digest of a document, the same on every machine: 128 bits, made for telling documents apart and not against
 * somebody who looks for two that collide.
 *
 * @param pieces - of the document where it is cut into some: where that is must depend on the document alone
 */
export function digestDocument(contentType: string, body: string | Uint8Array, pieces?: PiecedText): string {
  const digest = new Digest();
  const start = `${typeof body === "string" ? "t" : "b"}${contentType}\n${body.length}\n`;
  digest.text(start, 0, start.length);
  if (typeof body !== "string") {
    digest.bytes(body);
  } else if (pieces) {
    digest.text(body, 0, pieces.start);
    digest.words(pieces.digests);
    digest.text(body, pieces.end, body.length);
  } else {
    digest.text(body, 0, body.length);
  }
  return digest.toString();
}
