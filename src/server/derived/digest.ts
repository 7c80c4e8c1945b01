const primes = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;

/** The next unit of a text or byte of a body mixed into one of four lanes (multiply, rotate, as xxHash has it). */
function mix(state: number, unit: number, prime: number): number {
  const mixed = Math.imul(state ^ unit, prime);
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

/**
 * A digest of a document, the same on every machine: 128 bits, made for telling documents apart and not against
 * somebody who looks for two that collide.
 */
export function digestDocument(contentType: string, body: string | Uint8Array): string {
  const lanes: [number, number, number, number] = [1, 2, 3, 5];
  const head = `${typeof body === "string" ? "t" : "b"}${contentType}\n${body.length}\n`;
  const parts = [head, body];
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 1) {
      const unit = (typeof part === "string" ? part.charCodeAt(at) : part[at]) ?? 0;
      lanes[0] = mix(lanes[0], unit, primes[0]);
      lanes[1] = mix(lanes[1], unit + lanes[0], primes[1]);
      lanes[2] = mix(lanes[2], unit ^ lanes[1], primes[2]);
      lanes[3] = mix(lanes[3], unit + lanes[2], primes[3]);
    }
  }
  return lanes.map(finish).join("");
}
