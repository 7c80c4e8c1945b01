import type { Steps } from "../../engine/steps.ts";

/** Carries out steps: waits for what they yield, gives back what came of it, and throws in what failed. */
export async function runSteps<Result>(steps: Steps<Result>): Promise<Result> {
  const iterator = steps[Symbol.iterator]();
  let step = iterator.next();
  while (!step.done) {
    const outcome = await Promise.resolve(step.value).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    if ("value" in outcome) step = iterator.next(outcome.value);
    else if (iterator.throw) step = iterator.throw(outcome.error);
    else throw outcome.error;
  }
  return step.value;
}
