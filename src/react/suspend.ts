import { ProblemError, type Status } from "../client/index.ts";
import type { Shown } from "./seen.ts";

/** What can be waited for. */
export interface Awaitable {
  getSnapshot(): Shown;
  ready(): Promise<unknown>;
}

// Not in a component's state: one that waits for its first rendering has none.
const waiting: WeakMap<Awaitable, Promise<void>> = new WeakMap();
const known: WeakSet<Awaitable> = new WeakSet();

/** True once there was something to show. */
export function hasShown({ state, since }: Status): boolean {
  return /^(?:live|behind|polling|stale)$/.test(state) || since !== undefined;
}

/**
 * Returns once there is something to show; until then it throws the promise that React waits for.
 *
 * @throws ProblemError where the view was refused or has ended
 */
export function suspendUntilShown(live: Awaitable): void {
  const { status } = live.getSnapshot();
  if (status.problem) {
    known.delete(live);
    throw new ProblemError(status.problem);
  }
  if (hasShown(status) || known.has(live)) return;
  throw waiting.get(live) ?? wait(live);
}

function wait(live: Awaitable): Promise<void> {
  const end = (): void => {
    waiting.delete(live);
  };
  const promise = live.ready().then(() => {
    known.add(live);
    end();
  }, end);
  waiting.set(live, promise);
  return promise;
}
