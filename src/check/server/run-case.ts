import type { Outcome, Result } from "../case.ts";
import { Fault, Skip } from "../fault.ts";
import { type ServerCase, Trial, type TrialParts } from "./trial.ts";

function outcomeOf(error: unknown, trial: Trial): Outcome {
  if (error instanceof Skip) return { kind: "skipped", why: error.message };
  const { lines } = trial.transcript;
  if (error instanceof Fault) {
    return { kind: "failed", expected: error.expected, came: error.came, transcript: lines };
  }
  const came = error instanceof Error ? error.message : String(error);
  return { kind: "failed", expected: "A connection.", came, transcript: lines };
}

/** Plays one case; gives how it went, and what it left behind. */
export async function runCase(
  one: ServerCase,
  parts: TrialParts,
): Promise<{ result: Result; left: readonly string[] }> {
  const trial = new Trial(parts, one.accept);
  let outcome: Outcome = { kind: "passed" };
  try {
    await one.run(trial);
  } catch (error) {
    outcome = outcomeOf(error, trial);
  }
  trial.end();
  const left = await trial.writer.cleanUp().catch(() => ["what this case has made"]);
  const { requirement, title, strength = "must" } = one;
  return { result: { requirement, title, strength, outcome }, left };
}
