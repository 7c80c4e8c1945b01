import fc from "fast-check";

/** Bytes cut at some places. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  const ends = [...sorted, bytes.length];
  return ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
}

/** Places to cut at; any number of them, also none. */
export const places: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 2_000 }), { maxLength: 12 });

/** Bytes one by one. */
export function oneByOne(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}
