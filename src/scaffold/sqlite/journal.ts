export { detach } from "./journal/detach.ts";
export { createSqliteJournal } from "./journal/journal.ts";
export type { SqliteJournal, SqliteJournalOptions } from "./journal/options.ts";
