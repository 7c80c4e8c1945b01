import type { Field } from "../../protocol/index.ts";

/** Who signed in here, as a token or a cookie shows it. */
export interface UserSession {
  readonly claims: Readonly<Record<string, unknown>>;
  /** When it ends by itself, in milliseconds since 1970. */
  readonly endsAt: number;
  readonly sessionId: string;
  /** Whether it was ended before, or says what is no longer so. @throws Refusal 503 where that can't be known */
  isOver(): boolean;
}

/** Tells the sessions of those who sign in here. */
export interface UserSessions {
  /** The role that users act as whose claims name none. */
  readonly role: string | undefined;
  /** Whether a bearer token is one of these. */
  made(token: string): boolean;
  /** @throws Refusal 401 where the token does not count; 503 */
  ofToken(token: string): Promise<UserSession>;
  /** The cookie that a request shows; `undefined` where it has none. */
  cookieIn(fields: readonly Field[]): string | undefined;
  /** @throws Refusal 401 where the cookie does not count; 503 */
  ofCookie(cookie: string): Promise<UserSession>;
}
