/** Which tokens count, and whom they are for. */
export interface TokenOptions {
  /** The secret that tokens are signed with by HS256, HS384 or HS512: 32 bytes at least. */
  readonly secret?: string;
  /**
   * The URL of the JSON Web Key Set with the public keys that tokens are signed for (RS, PS, ES, EdDSA). By https, unless it
   * is a host of this machine or of its own network, as `http://keycloak:8080/…`.
   */
  readonly jwks?: string | URL;
  /** Whom tokens are meant for, one of these (`aud`). A token that names an audience counts only where this names it, too. */
  readonly audience?: string | readonly string[];
  /** Who makes the tokens (`iss`). Default: anybody who has the key. */
  readonly issuer?: string;
  /** The claim that names the role of the database, on PostgreSQL. Default `role`. */
  readonly roleClaim?: string;
  /** The role of requests without a token, on PostgreSQL. Default: they are answered with 401. */
  readonly anonymousRole?: string;
}

/** Options with every default filled in. */
export interface ResolvedTokenOptions {
  readonly secret: Uint8Array | undefined;
  readonly jwks: URL | undefined;
  readonly audiences: readonly string[];
  readonly issuer: string | undefined;
  readonly roleClaim: string;
  readonly anonymousRole: string | undefined;
}

const minSecretBytes = 32;

function resolveSecret(secret: string | undefined): Uint8Array | undefined {
  if (secret === undefined) return undefined;
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= minSecretBytes) return bytes;
  throw new RangeError(`tokens.secret must have ${minSecretBytes} bytes at least; it has ${bytes.length}.`);
}

/** Whether nobody outside can stand between this machine and a host: it is this one, or has a name of its own network. */
function isNear({ hostname }: URL): boolean {
  return !/[.:]/.test(hostname) || hostname === "[::1]" || /^127\.|\.localhost$/.test(hostname);
}

function resolveJwks(jwks: string | URL | undefined): URL | undefined {
  if (jwks === undefined) return undefined;
  const url = URL.canParse(String(jwks)) ? new URL(String(jwks)) : undefined;
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isNear(url))) return url;
  throw new TypeError(`tokens.jwks must be an https: URL, not ${String(jwks)}.`);
}

/**
 * Checks which tokens count.
 *
 * @param isPostgres - whether the database has roles
 * @throws TypeError | RangeError naming the option
 */
export function resolveTokenOptions(options: TokenOptions, isPostgres: boolean): ResolvedTokenOptions {
  const { audience = [], issuer, roleClaim = "role", anonymousRole } = options;
  const [secret, jwks] = [resolveSecret(options.secret), resolveJwks(options.jwks)];
  if (!secret && !jwks) throw new TypeError("tokens must have a secret or jwks: without, no token could count.");
  for (const name of ["roleClaim", "anonymousRole"] as const) {
    if (options[name] === undefined) continue;
    if (!isPostgres) throw new TypeError(`tokens.${name} is for PostgreSQL, and path names a SQLite file.`);
    if (options[name] === "") throw new TypeError(`tokens.${name} must not be empty.`);
  }
  const audiences = typeof audience === "string" ? [audience] : audience;
  return { secret, jwks, audiences, issuer, roleClaim, anonymousRole };
}
