import { ProblemError, type Status } from "../client/index.ts";
import type { Shown } from "./seen.ts";

/** What can be waited for. */
export interface Awaitable {
  getSnapshot(): Shown;
  ready(): Promise<unknown>;
}

// Not in a component's state: one that waits for its first rendering has none.
const waiting: WeakMap<Awaitable, Promise<void>> = new WeakMap();

/** True once there was something to show. */
export function hasShown({ state, since }: Status): boolean {
  return state === "live" || state === "stale" || since !== undefined;
}

/**
 * Returns once there is something to show; until then it throws the promise that React waits for.
 *
 * @throws ProblemError where the view was refused or has ended
 */
export function suspendUntilShown(live: Awaitable): void {
  const { status } = live.getSnapshot();
  if (status.state === "failed" && status.problem) throw new ProblemError(status.problem);
  if (hasShown(status)) return;
  const known = waiting.get(live);
  if (known) throw known;
  const done = (): void => {
    waiting.delete(live);
  };
  const promise = live.ready().then(done, done);
  waiting.set(live, promise);
  throw promise;
}
