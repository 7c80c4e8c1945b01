export { findAnswer, keepAnswer, markAnswer } from "./journal/answers.ts";
export { bookmarkIn } from "./journal/bookmark.ts";
export { detach } from "./journal/detach.ts";
export { createSqliteJournal } from "./journal/journal.ts";
export { type PausedJournal, pauseJournal } from "./journal/migration.ts";
export { isRocketTrigger } from "./journal/names.ts";
export type { SqliteJournal, SqliteJournalOptions } from "./journal/options.ts";
