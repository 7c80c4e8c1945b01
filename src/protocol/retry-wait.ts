const firstCapMs = 500;

/**
 * How long a client waits before a retry, in milliseconds: full jitter, `random(0, min(cap, 0.5 s·2ⁿ))` [R-CLOSE-5].
 *
 * @param tries - n: how many retries in a row there were before
 * @param random - a number in [0, 1)
 * @param lastCapMs - no wait is longer. Default 30,000
 */
export function retryWaitMs(tries: number, random: number, lastCapMs = 30_000): number {
  return random * Math.min(lastCapMs, firstCapMs * 2 ** tries);
}
