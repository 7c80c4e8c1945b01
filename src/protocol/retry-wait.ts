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

/**
 * How many retries count after a connection that was ready: none after 10 s; after 1 s so few that the next wait is of 2 s at
 * most, as where a server is restarted again and again; as many as before where it ended sooner [R-CLOSE-5].
 *
 * @param tries - how many retries in a row there were before it
 * @param lastedMs - for how long it was ready
 */
export function triesAfter(tries: number, lastedMs: number): number {
  return Math.min(tries, lastedMs < 1_000 ? tries : lastedMs < 10_000 ? 2 : 0);
}
