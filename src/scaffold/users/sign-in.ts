import type { Clock, OriginRequest, OriginResponse, Revocations } from "../../server/index.ts";
import type { UserSessions } from "../tokens/user-session.ts";
import { AccessTokens, makeSigningKey } from "./access-tokens.ts";
import { Accounts } from "./accounts.ts";
import { AuthService } from "./auth-service.ts";
import { cookieIn } from "./cookies.ts";
import type { ResolvedUsersOptions } from "./options.ts";
import { Passwords } from "./passwords.ts";
import { makeSecret } from "./secrets.ts";
import { SessionWatch } from "./session-watch.ts";
import type { UserDatabase } from "./user-database.ts";
import { UserStore } from "./user-store.ts";

/** How people sign in to a service. */
export interface SignIn {
  /** Whether a target is one of those by which people sign up, in and out. */
  owns(target: string): boolean;
  /** Answers a request for one of these. @throws Refusal, and what the database throws */
  answer(request: OriginRequest): Promise<OriginResponse>;
  readonly sessions: UserSessions;
  readonly revocations: Revocations;
  close(): Promise<void>;
}

/** What it stands on. */
export interface SignInParts {
  readonly database: UserDatabase;
  readonly users: ResolvedUsersOptions;
  readonly basePath: string;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** Makes what people sign in by, and its tables where they are missing. @throws RocketError; what the database throws */
export async function openSignIn({ database, users, basePath, clock, reportError }: SignInParts): Promise<SignIn> {
  const store = new UserStore(database);
  await store.prepare();
  const tokens = await AccessTokens.of(await store.key("signing", makeSigningKey), clock);
  const refreshKey = await store.key("refresh", async () => makeSecret());
  const watch = new SessionWatch({ store, clock, reportError });
  await watch.start();
  const passwords = new Passwords(users.passwordCost);
  const accounts = new Accounts({ store, passwords, tokens, watch, refreshKey, clock });
  const service = new AuthService({ accounts, basePath, signUp: users.signUp, clock });
  return {
    owns: (target) => service.owns(target),
    answer: (request) => service.answer(request),
    sessions: {
      role: users.role,
      made: (token) => accounts.made(token),
      ofToken: (token) => accounts.ofToken(token),
      cookieIn,
      ofCookie: (cookie) => accounts.ofCookie(cookie),
    },
    revocations: watch,
    async close() {
      watch.close();
      await store.close();
    },
  };
}
