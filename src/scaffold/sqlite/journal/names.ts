/** The journal: one row for each change. */
export const journalTable = "_rocket_journal";
/** Rows that a write may be about to displace, as they were. */
export const cacheTable = "_rocket_cache";
/** The stretches of the journal's life, one for each start of a server. */
export const segmentTable = "_rocket_segment";
/** What each set of triggers was made for. */
export const armTable = "_rocket_arm";
/** The answers to writes that had an `Idempotency-Key`. */
export const answerTable = "_rocket_idempotency";
/** There while `rocket migrate` has the triggers off: one row that says who. */
export const migrationTable = "_rocket_migration";

const prefix = "rocket: ";

/** A trigger's name. SQLite shows it when a change of the schema fails over the trigger. */
export function triggerName(arm: number, event: string): string {
  return `${prefix}run migrations with "rocket migrate" (${arm} ${event})`;
}

/** Whether a trigger is Rocket's, by its name. */
export function isRocketTrigger(name: string): boolean {
  return name.startsWith(prefix);
}

/** What a journal row says in its column `has` of an update whose row as it was is not there as a whole. */
export const cutUpdate = 4;
/** And of a delete. */
export const cutDelete = 5;
