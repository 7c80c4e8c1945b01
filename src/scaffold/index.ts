export { administratorSql } from "./administrator-sql.ts";
export { detach } from "./detach.ts";
export { migrate, type RunMigrations } from "./migrate.ts";
export { isModelsPath } from "./models/read-models.ts";
export { openUsers } from "./open-users.ts";
export type { ScaffoldOptions } from "./options.ts";
export { isPostgresUrl } from "./postgres-url.ts";
export { isModelPath, modelSql, type PreparedModel, prepareModel } from "./prepare-model.ts";
export { type Action, type ActionOptions, actions } from "./rest/actions.ts";
export type {
  CreateRule,
  RowFilter,
  Rows,
  Rule,
  RuleAction,
  Rules,
  RuleText,
  RuleViewer,
  TableRules,
} from "./rules/rules.ts";
export { type Where, where } from "./rules/where.ts";
export { type CollectionCount, createScaffold, type Scaffold } from "./scaffold.ts";
export type { Additions, SqlFunction } from "./sqlite/additions.ts";
export { type PausedJournal, pauseJournal } from "./sqlite/journal.ts";
export type { Authorize, AuthorizeRequest } from "./tokens/authorize.ts";
export type { AppViewer } from "./tokens/known-viewers.ts";
export type { AnonymousAccess, TokenOptions } from "./tokens/options.ts";
export type { UsersOptions } from "./users/options.ts";
export type { User } from "./users/user.ts";
export type { UserDirectory } from "./users/user-directory.ts";
