export { administratorSql } from "./administrator-sql.ts";
export { detach } from "./detach.ts";
export type { ScaffoldOptions } from "./options.ts";
export { isPostgresUrl } from "./postgres-url.ts";
export { type Action, type ActionOptions, actions } from "./rest/actions.ts";
export { type CollectionCount, createScaffold, type Scaffold } from "./scaffold.ts";
export type { Additions, SqlFunction } from "./sqlite/additions.ts";
export { type PausedJournal, pauseJournal } from "./sqlite/journal.ts";
export type { AnonymousAccess, TokenOptions } from "./tokens/options.ts";
