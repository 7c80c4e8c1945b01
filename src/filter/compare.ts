/** A value as filters compare it. */
export type Comparable = null | number | bigint | string | boolean | Uint8Array;

/** Booleans, then numbers, then texts, then bytes. */
function rank(value: Comparable): number {
  if (typeof value === "boolean") return 0;
  if (typeof value === "string") return 2;
  return typeof value === "object" ? 3 : 1;
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800;
}

/** Compares by code point, which is also the order of the UTF-8 bytes; `<` on strings goes by UTF-16 units. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    return Number(isSurrogate(left)) - Number(isSurrogate(right)) || left - right;
  }
  return a.length - b.length;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const sign = (a[at] ?? 0) - (b[at] ?? 0);
    if (sign !== 0) return sign;
  }
  return a.length - b.length;
}

/** NaN is equal to itself, and above all other numbers. */
function compareNumbers(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}

/**
 * Compares two values, neither of which is null: false before true, numbers by value, texts by code point, bytes by byte;
 * values of different types in this sequence. Nothing is converted.
 */
export function compareValues(a: Comparable, b: Comparable): number {
  if (typeof a === "number" && typeof b === "number") return compareNumbers(a, b);
  const sign = rank(a) - rank(b);
  if (sign !== 0) return sign;
  if (typeof a === "string" && typeof b === "string") return compareTexts(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (typeof a === "boolean") return Number(a) - Number(b);
  return compareNumbers(a as number | bigint, b as number | bigint);
}
