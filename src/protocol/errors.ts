/** Every code that a {@link RocketError} can carry, with what it means. docs/errors.md says what to do about each. */
export const errorCodes = {
  "database-busy": "The database was locked for longer than the wait allows.",
  "database-invalid": "The file is no SQLite database, or it can't be opened.",
  "database-missing": "There is no such database file.",
  "driver-missing":
    "The database's driver is missing: this Node has no SQLite of its own that will do and no built better-sqlite3, or there is no package pg.",
  "extension-failed": "A SQLite extension, or a module with functions, could not be loaded.",
  "journal-busy": "The database was locked for longer than the wait allows, so the journal could not be read.",
  "keys-unreachable": "The public keys that tokens are signed for could not be fetched.",
  "listen-failed": "The server could not listen on the address that it was given.",
  "journal-denied": "The database's role may not make the journal, or not use it.",
  "journal-detached": "The journal's tables were removed from the database while a server was following it.",
  "journal-migrating": "The command rocket migrate has switched the journal off while it runs.",
  "journal-readonly": "The database can't be written, so it can have no journal.",
  "table-not-watched":
    "Who may see what depends on something whose changes can't be watched; the message says on what.",
  "table-not-served": "A table or view is not served; the message says why. All others are.",
  "read-too-slow": "A read took longer than it may and was ended; the message says which index would help.",
  "reads-unthreaded": "This process can't have threads for reads, so all run on the main thread.",
  "model-invalid": "A model of data can't be read, or no tables can hold what it says; the message says what.",
  "migration-failed": "A migration of a folder failed; the message says where, and what is done.",
  "migration-invalid": "A folder of migrations can't be run on the database; the message says why.",
  "models-unfit": "The models name what the database has not; the message says what.",
  "records-unfit": "A document is not as the option records says; the message says what was not found.",
  "rule-broken": "A row rule gave nothing that can be asked of a table, so nothing is shown.",
  "runtime-unsupported": "This JavaScript runtime can't do it; the message says what works there.",
  "user-invalid": "An account can't be made or changed as was asked; the message says why.",
  "users-denied": "The database's role may not make the tables of users, or not use them.",
  "user-unknown": "Nobody signs in with that email.",
  "table-not-live": "A table's changes can't be watched; the message says why. All others are.",
} as const;

/** A code of the table {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** A local condition that a program can tell by its `code`. The message says what happened, which value, what to do. */
export class RocketError extends Error {
  readonly code: ErrorCode;

  /**
   * @param code - a key of {@link errorCodes}
   * @param message - one or two sentences for a person
   * @param options - `cause`: the error behind it
   */
  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = "RocketError";
    this.code = code;
  }
}
