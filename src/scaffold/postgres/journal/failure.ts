import { RocketError } from "../../../protocol/index.ts";
import { isDenied, isReadOnly, isUndefined } from "../sql-state.ts";

/** What went wrong with a journal, as its callers know it. */
export function journalFailure(error: unknown): RocketError {
  if (error instanceof RocketError) return error;
  const cause = { cause: error };
  if (isUndefined(error)) {
    return new RocketError("journal-detached", "The schema rocket was removed from the database.", cause);
  }
  if (isDenied(error)) {
    const message = "This role may not use the schema rocket. The command rocket sql prints what grants it.";
    return new RocketError("journal-denied", message, cause);
  }
  if (isReadOnly(error)) {
    return new RocketError("journal-readonly", "This server is a standby: it can have no journal.", cause);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new RocketError("journal-busy", `The journal could not be read. ${reason}`, cause);
}
