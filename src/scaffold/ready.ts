import type { Engine } from "./engine/engine.ts";
import { done } from "./engine/steps.ts";
import { everybody } from "./engine/viewer.ts";

const noDatabase = "The database does not answer.";
const noJournal =
  "The database answers, and its journal does not move: what is followed may be older than what is stored.";

/** What keeps a service from doing its work, in a sentence for anybody; `undefined` where nothing does. */
export async function troubleOf(engine: Engine): Promise<string | undefined> {
  try {
    await engine.read(() => done(undefined), everybody);
  } catch {
    return noDatabase;
  }
  const { journal } = engine;
  if (journal?.isAway) return noJournal;
  try {
    await journal?.poll();
  } catch {
    return noJournal;
  }
  return undefined;
}
