/** People who sign in by email and password. */
export interface UsersOptions {
  /** Whether whoever comes may make an account. Default true; else accounts are made by `openUsers` alone. */
  readonly signUp?: boolean;
  /**
   * The role of the database that users act as, on PostgreSQL, where their claims name none (`tokens.roleClaim`). Default: the
   * connection's own role, whatever their claims say.
   */
  readonly role?: string;
  /** The work of a password's hash: 2 to that power. Default 17. @internal */
  readonly passwordCost?: number;
}

/** Options with every default filled in. */
export interface ResolvedUsersOptions {
  readonly signUp: boolean;
  readonly role: string | undefined;
  readonly passwordCost: number;
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError naming the option
 */
export function resolveUsersOptions(options: UsersOptions, isPostgres: boolean): ResolvedUsersOptions {
  const { signUp = true, role, passwordCost = 17 } = options;
  if (typeof signUp !== "boolean") throw new TypeError(`users.signUp must be true or false, not ${String(signUp)}.`);
  if (role !== undefined && !isPostgres) {
    throw new TypeError("users.role is for PostgreSQL, and path names a SQLite file.");
  }
  if (role === "") throw new TypeError("users.role must not be empty.");
  return { signUp, role, passwordCost };
}
