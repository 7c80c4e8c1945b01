import type { TokenOptions } from "../scaffold/index.ts";
import { CommandFailure } from "./failure.ts";

/** Which tokens count, as a command was told. */
export interface TokenFlags {
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
export function asksForTokens({ jwtSecretEnv, jwks }: TokenFlags): boolean {
  return jwtSecretEnv !== undefined || jwks !== undefined;
}

function readSecret(name: string): string {
  const secret = process.env[name];
  if (secret) return secret;
  throw new CommandFailure(`--jwt-secret-env: the variable ${JSON.stringify(name)} is not set, or empty.`, 2);
}

/**
 * Which tokens count; `undefined` where none are asked for.
 *
 * @throws CommandFailure where the variable is not set, or a flag needs another one
 */
export function readTokens(flags: TokenFlags): TokenOptions | undefined {
  const { jwtSecretEnv, jwks, jwtAudience, jwtIssuer, jwtRoleClaim, anonymousRole } = flags;
  if (!asksForTokens(flags)) {
    const rest = { jwtAudience, jwtIssuer, jwtRoleClaim, anonymousRole };
    const [lone] = Object.entries(rest).find(([, value]) => value !== undefined) ?? [];
    if (lone === undefined) return undefined;
    const flag = lone.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new CommandFailure(`--${flag} needs --jwt-secret-env or --jwks: without, there are no tokens.`, 2);
  }
  return {
    ...(jwtSecretEnv === undefined ? {} : { secret: readSecret(jwtSecretEnv) }),
    ...(jwks === undefined ? {} : { jwks }),
    ...(jwtAudience === undefined ? {} : { audience: jwtAudience }),
    ...(jwtIssuer === undefined ? {} : { issuer: jwtIssuer }),
    ...(jwtRoleClaim === undefined ? {} : { roleClaim: jwtRoleClaim }),
    ...(anonymousRole === undefined ? {} : { anonymousRole }),
  };
}

/** A trouble with an option, in the words of the command; `undefined` where it is none of these. */
export function optionsInFlags({ message }: Error, { jwtSecretEnv }: TokenFlags): CommandFailure | undefined {
  const flags: readonly (readonly [option: string, flag: string])[] = [
    ["tokens.secret", `--jwt-secret-env: the secret in ${jwtSecretEnv}`],
    ["tokens.jwks", "--jwks"],
    ["tokens.roleClaim", "--jwt-role-claim"],
    ["tokens.anonymousRole", "--anonymous-role"],
  ];
  const found = flags.find(([option]) => message.startsWith(option));
  return found && new CommandFailure(message.replace(...found).replace("path names", "this is"), 2);
}
