/**
 * Whether four waits may be random. False where all are short, as of one right client in 50,000: in their sum, by the longest
 * (a fixed wait), or each against its bound.
 *
 * @param unitMs - a millisecond of the protocol
 */
export function areRandom(waitsMs: readonly number[], capsMs: readonly number[], unitMs: number): boolean {
  const sumMs = waitsMs.reduce((sum, ms) => sum + ms, 0);
  const isLong = sumMs >= 200 * unitMs && Math.max(...waitsMs) >= 80 * unitMs;
  return isLong && waitsMs.some((ms, at) => ms >= 0.05 * (capsMs[at] ?? 0));
}
