import type { Steps } from "../../engine/steps.ts";

/** Carries out steps over SQLite, in one go. */
export function runAtOnce<Result>(steps: Steps<Result>): Result {
  const { done: isDone, value } = steps[Symbol.iterator]().next();
  if (!isDone) throw new Error("A step waits for something that is not the database.");
  return value;
}
