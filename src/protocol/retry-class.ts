/**
 * What a client does after a close: `stop` (it is over as it should be), `retry` (reconnect with jitter and resume),
 * `fatal` (the same would happen again), `credentials` (get new ones, then try once).
 */
export type RetryClass = "stop" | "retry" | "fatal" | "credentials";

/** The codes that are not as their range says. */
const exceptions: ReadonlyMap<number, RetryClass> = new Map([
  [1000, "stop"],
  [1002, "fatal"],
  [1003, "fatal"],
  [1007, "fatal"],
  [1009, "fatal"],
  [4401, "credentials"],
  [4408, "retry"],
  [4413, "retry"],
  [4429, "retry"],
]);

/**
 * What a client does after a close with that code, listed in `closeCodes` or not: 43xx and 44xx are `fatal` and all
 * others `retry`, but for a few [R-CLOSE-1] [R-CLOSE-2].
 */
export function retryClass(code: number): RetryClass {
  return exceptions.get(code) ?? (code >= 4300 && code < 4500 ? "fatal" : "retry");
}
