/** Every code that a {@link RocketError} can carry, with what it means. docs/errors.md says what to do about each. */
export const errorCodes = {
  "journal-busy": "The database was locked for longer than the wait allows, so the journal could not be read.",
  "listen-failed": "The server could not listen on the address that it was given.",
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
