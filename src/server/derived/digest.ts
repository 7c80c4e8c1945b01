const primes = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;

/** The next word mixed into a lane (multiply, rotate, as xxHash has it). */
function mix(state: number, word: number, prime: number): number {
  const mixed = Math.imul(state ^ word, prime);
  return (mixed << 13) | (mixed >>> 19);
}

function finish(state: number): string {
  let mixed = state ^ (state >>> 15);
  mixed = Math.imul(mixed, primes[1]);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, primes[2]);
  mixed ^= mixed >>> 16;
  return (mixed >>> 0).toString(36).padStart(7, "0");
}

/** Four lanes; words go to two pairs of them in turn, so that one letter costs one step. */
class Digest {
  #a = 1;
  #b = 2;
  #c = 3;
  #d = 5;

  text(text: string): void {
    const whole = text.length - (text.length % 4);
    for (let at = 0; at < whole; at += 4) {
      this.#add(
        text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16),
        text.charCodeAt(at + 2) | (text.charCodeAt(at + 3) << 16),
      );
    }
    for (let at = whole; at < text.length; at += 1) this.#add(text.charCodeAt(at), at);
  }

  bytes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = bytes.length - (bytes.length % 8);
    for (let at = 0; at < whole; at += 8) this.#add(view.getInt32(at), view.getInt32(at + 4));
    for (let at = whole; at < bytes.length; at += 1) this.#add(bytes[at] ?? 0, at);
  }

  toString(): string {
    const { imul } = Math;
    // What one pair saw counts for the other, too.
    const lanes = [
      this.#a ^ imul(this.#d, primes[0]),
      this.#b ^ imul(this.#c, primes[1]),
      this.#c + imul(this.#b, primes[2]),
      this.#d + imul(this.#a, primes[3]),
    ];
    return lanes.map(finish).join("");
  }

  #add(even: number, odd: number): void {
    this.#a = mix(this.#a, even, primes[0]);
    this.#b = mix(this.#b, (even + this.#a) | 0, primes[1]);
    this.#c = mix(this.#c, odd, primes[2]);
    this.#d = mix(this.#d, (odd + this.#c) | 0, primes[3]);
  }
}

/**
 * A digest of a document, the same on every machine: 128 bits, made for telling documents apart and not against
 * somebody who looks for two that collide.
 */
export function digestDocument(contentType: string, body: string | Uint8Array): string {
  const digest = new Digest();
  digest.text(`${typeof body === "string" ? "t" : "b"}${contentType}\n${body.length}\n`);
  if (typeof body === "string") digest.text(body);
  else digest.bytes(body);
  return digest.toString();
}
