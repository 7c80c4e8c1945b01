/** Somebody who may sign in. */
export interface User {
  /** As the claim `sub` names it. */
  readonly id: string;
  readonly email: string;
  /** What is said of the user in tokens, beside what tokens say themselves. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** When the account was made, in milliseconds since 1970. */
  readonly createdAt: number;
  readonly isDisabled: boolean;
}

/** A user, with what nobody is shown. */
export interface Account extends User {
  /** The stored hash. */
  readonly password: string;
  /** Counts the account's changes: tokens of an earlier one count no more. */
  readonly version: number;
  /** Counts what ends all sessions: those of an earlier one count no more. */
  readonly epoch: number;
}

/** One sign-in, and what follows from it until its end. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  /** As the account had it when the session began. */
  readonly epoch: number;
  /** Whether a browser shows it by a cookie; else there are refresh tokens. */
  readonly isCookie: boolean;
  /** The digest of the secret that counts, and of the one before. */
  readonly secret: string;
  readonly previous: string | undefined;
  /** When the secret was replaced, or the end was put off, last; in milliseconds since 1970, as all of these. */
  readonly renewedAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | undefined;
}
