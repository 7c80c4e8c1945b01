/** What those without a token may do: read, or nothing. */
export type AnonymousAccess = "read" | "none";

/** Which tokens count, and whom they are for. */
export interface TokenOptions {
  /**
   * One token that all share who may come in: 16 characters at least, of letters, digits and `-._~+/`. Who has it may do everything.
   * On PostgreSQL not beside `secret` or `jwks`, since it names no role.
   */
  readonly shared?: string;
  /**
   * What those without a token may do. With `read` they may GET, and follow what they may GET; on PostgreSQL with roles, as
   * `anonymousRole`. Default `none`; with an `anonymousRole`, what that role may.
   */
  readonly anonymous?: AnonymousAccess;
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
  /** The claim that names the role of the database, on PostgreSQL. Default `role`. With rules, a token need not have it. */
  readonly roleClaim?: string;
  /** The role of requests without a token, on PostgreSQL. Default: they are answered with 401. */
  readonly anonymousRole?: string;
}

/** Options with every default filled in. */
export interface ResolvedTokenOptions {
  readonly shared: string | undefined;
  /** Whether those without a token may read, and no more. */
  readonly anonymousReads: boolean;
  /** Whether requests act as roles of the database. */
  readonly hasRoles: boolean;
  /** Whether a request that names no role is refused. Otherwise it acts as the connection's own. */
  readonly needsRole: boolean;
  readonly secret: Uint8Array | undefined;
  readonly jwks: URL | undefined;
  readonly audiences: readonly string[];
  readonly issuer: string | undefined;
  readonly roleClaim: string;
  readonly anonymousRole: string | undefined;
}

const minSecretBytes = 32;
const minSharedLength = 16;

function checkShared(shared: string | undefined, hasRoles: boolean): void {
  if (shared === undefined) return;
  if (!/^[\w.~+/-]+=*$/.test(shared)) {
    throw new TypeError("tokens.shared may have letters, digits and -._~+/ only, as bearer tokens do.");
  }
  if (shared.length < minSharedLength) {
    throw new RangeError(`tokens.shared must have ${minSharedLength} characters at least; it has ${shared.length}.`);
  }
  if (hasRoles) {
    throw new TypeError("tokens.shared can't be beside secret, jwks or users.role on PostgreSQL: it names no role.");
  }
}

function checkAnonymous({ anonymous, anonymousRole }: TokenOptions, needsRole: boolean): void {
  if (anonymous !== undefined && anonymous !== "read" && anonymous !== "none") {
    throw new TypeError(`tokens.anonymous must be "read" or "none", not ${JSON.stringify(anonymous)}.`);
  }
  if (anonymous === "none" && anonymousRole !== undefined) {
    throw new TypeError('tokens.anonymous is "none", and anonymousRole lets them in: say one of them.');
  }
  if (anonymous === "read" && needsRole && anonymousRole === undefined) {
    throw new TypeError('tokens.anonymous is "read": name the role that they read as, anonymousRole.');
  }
}

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

/** What stands beside tokens. */
export interface TokenSurroundings {
  /** Whether the database has roles. */
  readonly isPostgres: boolean;
  /** Those who sign in here, where anybody does. */
  readonly users: ResolvedUsers | undefined;
  /** Whether rules say who may what, so that a request need have no role. */
  readonly hasRules: boolean;
}

interface ResolvedUsers {
  /** The role that they act as. */
  readonly role: string | undefined;
}

/**
 * Checks which tokens count.
 *
 * @throws TypeError | RangeError naming the option
 */
export function resolveTokenOptions(
  options: TokenOptions,
  { isPostgres, users, hasRules }: TokenSurroundings,
): ResolvedTokenOptions {
  const { shared, anonymous, audience = [], issuer, roleClaim = "role", anonymousRole } = options;
  const [secret, jwks] = [resolveSecret(options.secret), resolveJwks(options.jwks)];
  if (!secret && !jwks && shared === undefined && !users) {
    throw new TypeError("tokens must have a secret, jwks or shared: without, no token could count.");
  }
  const isSigned = secret !== undefined || jwks !== undefined;
  const hasRoles = isPostgres && (isSigned || users?.role !== undefined);
  if (hasRoles && !hasRules && users && users.role === undefined) {
    throw new TypeError("users.role is missing: beside tokens that name roles, users need one.");
  }
  for (const name of ["roleClaim", "anonymousRole"] as const) {
    if (options[name] === undefined) continue;
    if (!isPostgres) throw new TypeError(`tokens.${name} is for PostgreSQL, and path names a SQLite file.`);
    if (!hasRoles)
      throw new TypeError(`tokens.${name} needs a secret, jwks or users.role: without, nobody acts as a role.`);
    if (options[name] === "") throw new TypeError(`tokens.${name} must not be empty.`);
  }
  checkShared(shared, hasRoles);
  const needsRole = hasRoles && !hasRules;
  checkAnonymous(options, needsRole);
  const audiences = typeof audience === "string" ? [audience] : audience;
  const anonymousReads = anonymous === "read";
  return { shared, anonymousReads, hasRoles, needsRole, secret, jwks, audiences, issuer, roleClaim, anonymousRole };
}
