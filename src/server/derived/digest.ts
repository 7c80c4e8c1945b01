import { sha256 as portableSha256 } from "@noble/hashes/sha2.js";
import type { Body } from "../../protocol/index.ts";

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

/** SHA-256 (FIPS 180-4) of bytes, or of a text in UTF-8. */
export type Sha256 = (data: string | Uint8Array) => Uint8Array;

const encoder = new TextEncoder();
/** 160 bits: nobody finds two documents of one digest. */
const digestBytes = 20;

/** Where the platform has none of its own. */
export function sha256(data: string | Uint8Array): Uint8Array {
  return portableSha256(typeof data === "string" ? encoder.encode(data) : data);
}

/** A digest of a document, the same on every machine, that nobody finds a second document for [R-POS-8]. */
export function digestDocument(hash: Sha256, contentType: string, body: Body): string {
  const head = encoder.encode(`${typeof body === "string" ? "text" : "bytes"} ${contentType}\n`);
  const inner = hash(body);
  const all = new Uint8Array(head.length + inner.length);
  all.set(head);
  all.set(inner, head.length);
  return Array.from(hash(all).subarray(0, digestBytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
