const prime = { a: 0x9e3779b1, b: 0x85ebca77, c: 0xc2b2ae3d, d: 0x27d4eb2f } as const;

/** The next word mixed into a lane (multiply, rotate, as xxHash has it). */
function mix(state: number, word: number, prime: number): number {
  const mixed = Math.imul(state ^ word, prime);
  return (mixed << 13) | (mixed >>> 19);
}

function finish(state: number): string {
  let mixed = state ^ (state >>> 15);
  mixed = Math.imul(mixed, prime.b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, prime.c);
  mixed ^= mixed >>> 16;
  return (mixed >>> 0).toString(36).padStart(7, "0");
}

const encoder = new TextEncoder();

/** Four lanes; words go to two pairs of them in turn, so that one word costs two steps. */
class Digest {
  #a = 1;
  #b = 2;
  #c = 3;
  #d = 5;

  bytes(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const whole = bytes.length - (bytes.length % 8);
    // As `#add`, in local variables: a large document is digested before its difference is sent.
    let [a, b, c, d] = [this.#a, this.#b, this.#c, this.#d];
    for (let at = 0; at < whole; at += 8) {
      const even = view.getInt32(at);
      const odd = view.getInt32(at + 4);
      a = mix(a, even, prime.a);
      b = mix(b, (even + a) | 0, prime.b);
      c = mix(c, odd, prime.c);
      d = mix(d, (odd + c) | 0, prime.d);
    }
    [this.#a, this.#b, this.#c, this.#d] = [a, b, c, d];
    for (let at = whole; at < bytes.length; at += 1) this.#add(bytes[at] ?? 0, at);
  }

  toString(): string {
    const { imul } = Math;
    // What one pair saw counts for the other, too.
    const lanes = [
      this.#a ^ imul(this.#d, prime.a),
      this.#b ^ imul(this.#c, prime.b),
      this.#c + imul(this.#b, prime.c),
      this.#d + imul(this.#a, prime.d),
    ];
    return lanes.map(finish).join("");
  }

  #add(even: number, odd: number): void {
    this.#a = mix(this.#a, even, prime.a);
    this.#b = mix(this.#b, (even + this.#a) | 0, prime.b);
    this.#c = mix(this.#c, odd, prime.c);
    this.#d = mix(this.#d, (odd + this.#c) | 0, prime.d);
  }
}

/**
 * A digest of a document, the same on every machine: 128 bits, made for telling documents apart and not against
 * somebody who looks for two that collide.
 */
export function digestDocument(contentType: string, body: string | Uint8Array): string {
  const digest = new Digest();
  digest.bytes(encoder.encode(`${typeof body === "string" ? "t" : "b"}${contentType}\n${body.length}\n`));
  digest.bytes(typeof body === "string" ? encoder.encode(body) : body);
  return digest.toString();
}
