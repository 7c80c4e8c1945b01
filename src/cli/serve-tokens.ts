import type { AnonymousAccess, TokenOptions, UsersOptions } from "../scaffold/index.ts";
import { CommandFailure } from "./failure.ts";

/** Which tokens count, as a command was told. */
export interface TokenFlags {
  /** Whether people sign in by email and password: whoever comes, or those who are invited. */
  readonly users?: true | "invite";
  /** The role of the database that they act as. */
  readonly usersRole?: string;
  /** The variable that has the one token that all share. */
  readonly tokenEnv?: string;
  /** What those without a token may do. Default: nothing, or what `anonymousRole` may. */
  readonly anonymous?: AnonymousAccess;
  /** The variable that has the secret of tokens. */
  readonly jwtSecretEnv?: string;
  /** The URL of the public keys of tokens. */
  readonly jwks?: string;
  /** Whom tokens are meant for, one of these. Default: nobody is named. */
  readonly jwtAudience?: readonly string[];
  /** Who makes them. Default: anybody who has the key. */
  readonly jwtIssuer?: string;
  /** The claim that names the role of the database. Default `role`. */
  readonly jwtRoleClaim?: string;
  /** The role of those without a token. Default: they are refused. */
  readonly anonymousRole?: string;
}

/** Whether a request has to show who asks. */
export function asksForTokens(flags: TokenFlags): boolean {
  return flags.tokenEnv !== undefined || flags.users !== undefined || takesJwts(flags);
}

function takesJwts({ jwtSecretEnv, jwks }: TokenFlags): boolean {
  return jwtSecretEnv !== undefined || jwks !== undefined;
}

function readSecret(flag: string, name: string): string {
  const secret = process.env[name];
  if (secret) return secret;
  throw new CommandFailure(`${flag}: the variable ${JSON.stringify(name)} is not set, or empty.`, 2);
}

function requireNone(flags: Readonly<Record<string, unknown>>, needed: string): void {
  const [lone] = Object.entries(flags).find(([, value]) => value !== undefined) ?? [];
  if (lone === undefined) return;
  const flag = lone.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new CommandFailure(`--${flag} needs ${needed}: without, it would mean nothing.`, 2);
}

/**
 * Which tokens count; `undefined` where none are asked for.
 *
 * @throws CommandFailure where the variable is not set, or a flag needs another one
 */
export function readTokens(flags: TokenFlags): TokenOptions | undefined {
  const { tokenEnv, anonymous, jwtSecretEnv, jwks, jwtAudience, jwtIssuer, jwtRoleClaim, anonymousRole } = flags;
  if (!takesJwts(flags)) requireNone({ jwtAudience, jwtIssuer }, "--jwt-secret-env or --jwks");
  if (!takesJwts(flags) && flags.usersRole === undefined) {
    requireNone({ jwtRoleClaim, anonymousRole }, "--jwt-secret-env, --jwks or --users-role");
  }
  if (!asksForTokens(flags)) {
    requireNone({ anonymous }, "--token-env, --users, --jwt-secret-env or --jwks");
    return undefined;
  }
  return {
    ...(tokenEnv === undefined ? {} : { shared: readSecret("--token-env", tokenEnv) }),
    ...(anonymous === undefined ? {} : { anonymous }),
    ...(jwtSecretEnv === undefined ? {} : { secret: readSecret("--jwt-secret-env", jwtSecretEnv) }),
    ...(jwks === undefined ? {} : { jwks }),
    ...(jwtAudience === undefined ? {} : { audience: jwtAudience }),
    ...(jwtIssuer === undefined ? {} : { issuer: jwtIssuer }),
    ...(jwtRoleClaim === undefined ? {} : { roleClaim: jwtRoleClaim }),
    ...(anonymousRole === undefined ? {} : { anonymousRole }),
  };
}

/** Who signs in here; `undefined` where nobody does. @throws CommandFailure where a flag needs another one */
export function readUsers({ users, usersRole }: TokenFlags): UsersOptions | undefined {
  if (users === undefined) requireNone({ usersRole }, "--users");
  return users && { signUp: users !== "invite", ...(usersRole === undefined ? {} : { role: usersRole }) };
}

/** A trouble with an option, in the words of the command; `undefined` where it is none of these. */
export function optionsInFlags({ message }: Error, { jwtSecretEnv, tokenEnv }: TokenFlags): CommandFailure | undefined {
  const flags: readonly (readonly [option: string, flag: string])[] = [
    ["tokens.secret", `--jwt-secret-env: the secret in ${jwtSecretEnv}`],
    ["tokens.jwks", "--jwks"],
    ["tokens.roleClaim", "--jwt-role-claim"],
    ["tokens.anonymousRole", "--anonymous-role"],
    ["tokens.anonymous", "--anonymous"],
    ["users.role", "--users-role"],
    ["tokens.shared", `--token-env: the token in ${tokenEnv}`],
  ];
  const found = flags.find(([option]) => message.startsWith(option));
  const inFlags = (text: string): string =>
    text.replace("path names", "this is").replace(/\banonymousRole\b/, "--anonymous-role");
  return found && new CommandFailure(inFlags(message.replace(...found)), 2);
}
