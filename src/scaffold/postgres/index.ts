export { loadPg, openPool, type Pool } from "./driver.ts";
export { detachPostgres } from "./journal/detach.ts";
export { createPostgresJournal } from "./journal/journal.ts";
export { ShownAhead } from "./journal/opening.ts";
export type { PostgresJournal, PostgresJournalOptions } from "./journal/options.ts";
export { journalScript, type ScriptOptions } from "./journal/script.ts";
export type { RecordFormat } from "./record-format.ts";
export { recordJson } from "./value.ts";
export { setValueSettings, valueSettings } from "./value-settings.ts";
