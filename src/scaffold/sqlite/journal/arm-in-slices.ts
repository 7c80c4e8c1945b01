import { RocketError } from "../../../protocol/index.ts";
import { type BusyOptions, retryWhenBusy } from "../busy.ts";
import type { Connection } from "../connection.ts";
import { Armer } from "./arm.ts";
import { type ArmPlan, planArms } from "./arm-plan.ts";
import { inSlices, type SliceOptions } from "./slices.ts";
import type { IsWatched } from "./watched.ts";

/**
 * Puts triggers on the watched tables, a few at a time, so that others can write meanwhile. What a crash leaves, the next
 * start goes on with.
 *
 * @param check - asked in each write transaction before anything is written: it throws where that must not be
 * @throws RocketError `database-busy`; an error that `isReadOnly` tells; what `check` throws
 */
export async function armInSlices(
  connection: Connection,
  isWatched: IsWatched,
  options: SliceOptions,
  check: () => void = () => undefined,
): Promise<void> {
  // All thinking comes before the lock, unless others leave no time for it.
  const think = (): ArmPlan => planArms(connection, isWatched);
  for (;;) {
    const plan = await planWithoutLock(think, options);
    if (plan && !hasWork(plan)) return;
    let armer = plan && new Armer(connection, isWatched, plan);
    let isComplete = false;
    await inSlices(connection, options, (mayGoOn) => {
      check();
      armer ??= new Armer(connection, isWatched, think());
      const armed = armer.carryOut(mayGoOn);
      isComplete = armed?.isComplete === true;
      // Others changed the schema meanwhile: there is a new plan to be made.
      return armed === undefined || isComplete;
    });
    if (isComplete) return;
  }
}

function hasWork({ tasks, isUnsettled, gone }: ArmPlan): boolean {
  return tasks.length > 0 || isUnsettled || gone.length > 0;
}

/** A plan; `undefined` where another program locks the database again and again. */
async function planWithoutLock(think: () => ArmPlan, options: BusyOptions): Promise<ArmPlan | undefined> {
  try {
    return await retryWhenBusy(think, { ...options, waitMs: 50 });
  } catch (error) {
    if (error instanceof RocketError && error.code === "database-busy") return undefined;
    throw error;
  }
}
