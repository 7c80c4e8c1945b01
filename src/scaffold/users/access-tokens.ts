import { randomUUID } from "node:crypto";
import {
  decodeProtectedHeader,
  errors,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  jwtVerify,
  SignJWT,
} from "jose";
import type { Field } from "../../protocol/index.ts";
import { fieldValue } from "../../protocol/index.ts";
import type { Clock } from "../../server/index.ts";
import { unauthorized } from "../rest/refusal.ts";
import type { Account } from "./user.ts";

/** How long an access token counts, in seconds. */
export const accessTokenS = 600;

/** Who makes these tokens, as they say. */
const issuer = "rocket";

const algorithm = "EdDSA";

type Key = Awaited<ReturnType<typeof importJWK>>;

/** Claims that are the token's own: a user's claims can't be named so. */
export const reservedClaims: ReadonlySet<string> = new Set([
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "email", "sid", "ver"],
]);

/** Which session a token is of, and which state of its account it tells. */
export interface Standing {
  readonly sessionId: string;
  readonly userId: string;
  readonly version: number;
}

/** What an access token says, once it is known to be true. */
export interface AccessToken extends Standing {
  readonly claims: Readonly<Record<string, unknown>>;
  /** When it ends, in milliseconds since 1970. */
  readonly endsAt: number;
}

/** What is said of an account to whoever judges a request. */
export function claimsOf({ id, email, claims }: Account): Record<string, unknown> {
  return { ...claims, iss: issuer, sub: id, email };
}

/** The text of a new key pair. */
export async function makeSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return JSON.stringify({ ...(await exportJWK(privateKey)), kid: randomUUID(), alg: algorithm });
}

/** Makes access tokens, and says which are true. */
export class AccessTokens {
  readonly #clock: Clock;
  readonly #kid: string;
  readonly #privateKey: Key;
  readonly #publicKey: Key;

  private constructor(clock: Clock, kid: string, privateKey: Key, publicKey: Key) {
    this.#clock = clock;
    this.#kid = kid;
    this.#privateKey = privateKey;
    this.#publicKey = publicKey;
  }

  /** @param text - what `makeSigningKey` gave */
  static async of(text: string, clock: Clock): Promise<AccessTokens> {
    const { d: _secret, ...shown } = JSON.parse(text) as JWK;
    const keys = [importJWK(JSON.parse(text) as JWK, algorithm), importJWK(shown, algorithm)] as const;
    return new AccessTokens(clock, shown.kid ?? "", await keys[0], await keys[1]);
  }

  /** Whether a token names the key of these: then nobody else's key counts for it. */
  made(token: string): boolean {
    try {
      return decodeProtectedHeader(token).kid === this.#kid;
    } catch {
      return false;
    }
  }

  async sign(account: Account, sessionId: string): Promise<string> {
    const now = Math.floor(this.#clock.wallTime() / 1_000);
    return new SignJWT({ ...claimsOf(account), sid: sessionId, ver: account.version })
      .setProtectedHeader({ alg: algorithm, kid: this.#kid, typ: "JWT" })
      .setIssuedAt(now)
      .setExpirationTime(now + accessTokenS)
      .sign(this.#privateKey);
  }

  /** What a token says. @throws Refusal 401 where it does not count */
  async verify(token: string): Promise<AccessToken> {
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        algorithms: [algorithm],
        issuer,
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(this.#clock.wallTime()),
      });
      const { sub = "", sid, ver, exp = 0 } = payload;
      return { sessionId: String(sid), userId: sub, version: Number(ver), claims: payload, endsAt: exp * 1_000 };
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      const isOver = error instanceof errors.JWTExpired;
      throw unauthorized(isOver ? "The token has expired." : "The token is not one of this service.", "invalid_token");
    }
  }
}

/** Which session a bearer token among fields says that it is of. It is not verified. */
export function standingIn(fields: readonly Field[]): Standing | undefined {
  const [, payload] = /^Bearer +[\w-]+\.([\w-]+)\.[\w-]+$/i.exec(fieldValue(fields, "authorization") ?? "") ?? [];
  if (payload === undefined) return undefined;
  try {
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Record<string, unknown> | null;
    const { iss, sid, sub, ver } = claims ?? {};
    if (iss !== issuer || typeof sid !== "string" || typeof sub !== "string" || typeof ver !== "number")
      return undefined;
    return { sessionId: sid, userId: sub, version: ver };
  } catch {
    return undefined;
  }
}
