import { decodeProtectedHeader, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose";
import type { Clock } from "../../server/index.ts";
import { isJsonObject } from "../json/json.ts";
import { NestingError, parseJson } from "../json/json-reader.ts";
import { type Refusal, unauthorized } from "../rest/refusal.ts";
import type { ResolvedTokenOptions } from "./options.ts";
import { RemoteKeys, type RemoteKeysOptions } from "./remote-keys.ts";

/** What a token says, once it is known to be true. */
export interface Claims {
  /** The registered claims, and others as JavaScript has them. */
  readonly payload: JWTPayload;
  /** All of them, each number as it was written. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** A key that tokens are signed with, and by which algorithms. Never one key for both kinds: a public key is no secret. */
interface Signer {
  readonly algorithms: readonly string[];
  readonly key: JWTVerifyGetKey;
  /** Whether others than this service's issuer may use the key, so that a token must say whom it is for. */
  readonly isShared: boolean;
}

const secretAlgorithms = ["HS256", "HS384", "HS512"];
const publicAlgorithms = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
];

/** How far the clocks of who makes tokens may be ahead, in seconds. */
const toleranceS = 30;

const details: Readonly<Record<string, string>> = {
  ERR_JWKS_NO_MATCHING_KEY: "The token is signed with a key that is not known here.",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "The token does not say which key it is signed with.",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "The token's signature is not right.",
  ERR_JWT_EXPIRED: "The token has expired.",
};

const claimDetails: Readonly<Record<string, string>> = {
  nbf: "The token does not count yet.",
  iss: "The token is of another issuer.",
};

function badToken(detail: string): Refusal {
  return unauthorized(detail, "invalid_token");
}

function detailOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed) {
    return claimDetails[error.claim] ?? "A claim of the token is not as it must be.";
  }
  return details[error.code] ?? "The token is not a signed JSON Web Token that is taken here.";
}

/** The claims with nothing lost of their numbers. */
function readClaims(token: string): Readonly<Record<string, unknown>> {
  const text = Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8");
  try {
    const json = parseJson(text);
    if (isJsonObject(json)) return json;
  } catch (error) {
    if (!(error instanceof NestingError)) throw error;
  }
  throw badToken("The token's claims are nested too deeply.");
}

/** Says which tokens are true, and count now. */
export class Verifier {
  readonly #options: ResolvedTokenOptions;
  readonly #clock: Clock;
  readonly #signers: readonly Signer[];

  constructor(options: ResolvedTokenOptions, parts: Omit<RemoteKeysOptions, "url">) {
    const { secret, jwks } = options;
    this.#options = options;
    this.#clock = parts.clock;
    const secretKey: JWTVerifyGetKey = async () => secret ?? new Uint8Array();
    this.#signers = [
      ...(secret ? [{ algorithms: secretAlgorithms, key: secretKey, isShared: false }] : []),
      ...(jwks
        ? [{ algorithms: publicAlgorithms, key: new RemoteKeys({ url: jwks, ...parts }).find, isShared: true }]
        : []),
    ];
  }

  /** What a token claims. @throws Refusal 401 where it does not count; 503 where that can't be known */
  async verify(token: string): Promise<Claims> {
    const signer = this.#signerOf(token);
    const { issuer } = this.#options;
    try {
      const { payload } = await jwtVerify(token, signer.key, {
        algorithms: [...signer.algorithms],
        currentDate: new Date(this.#clock.wallTime()),
        clockTolerance: toleranceS,
        ...(issuer === undefined ? {} : { issuer }),
      });
      this.#requireAudience(payload, signer);
      return { payload, json: readClaims(token) };
    } catch (error) {
      throw error instanceof errors.JOSEError ? badToken(detailOf(error)) : error;
    }
  }

  /** @throws Refusal 401 where no key is for the token's algorithm: `none`, for one */
  #signerOf(token: string): Signer {
    let algorithm: string | undefined;
    try {
      algorithm = decodeProtectedHeader(token).alg;
    } catch {
      throw badToken(
        this.#signers.length === 0
          ? "The token is not the one that is asked for here."
          : "The token is no JSON Web Token.",
      );
    }
    const signer = this.#signers.find(({ algorithms }) => algorithms.includes(algorithm ?? ""));
    if (!signer && this.#signers.length === 0) throw badToken("The token is not the one that is asked for here.");
    if (!signer) throw badToken("The token is signed by an algorithm that is not taken here.");
    return signer;
  }

  /** RFC 7519 §4.1.3: who is not named does not take it. @throws Refusal 401 */
  #requireAudience({ aud }: JWTPayload, { isShared }: Signer): void {
    const { audiences } = this.#options;
    const named = aud === undefined ? [] : [aud].flat();
    if (named.length === 0 && !(isShared && audiences.length > 0)) return;
    if (named.some((one) => audiences.includes(one))) return;
    throw badToken("The token is meant for others: its audience (aud) is not this service's.");
  }
}
