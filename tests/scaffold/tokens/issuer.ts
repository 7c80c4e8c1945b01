import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { onTestFinished } from "vitest";

/** The secret that tests sign with. */
export const secret = "a secret of thirty-two bytes, or more";

/** A token that is signed with a secret; it ends in an hour unless its claims say otherwise. */
export function signed(claims: JWTPayload, { key = secret, alg = "HS256" } = {}): Promise<string> {
  return new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 3_600, ...claims })
    .setProtectedHeader({ alg, typ: "JWT" })
    .sign(new TextEncoder().encode(key));
}

/** The field that brings a token. */
export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** Who makes tokens with keys that anybody may look up at a URL. */
export class Issuer {
  /** The set of public keys as it is answered. */
  keys: JWK[] = [];
  /** How often the keys were asked for. */
  requests = 0;
  /** What is answered in place of the keys; 200: the keys. */
  status = 200;
  url = "";
  readonly #pairs: Map<string, { readonly alg: string; readonly privateKey: CryptoKey }> = new Map();

  /** Makes one that answers until the test ends. */
  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    const server = createServer((_request, response) => {
      issuer.requests += 1;
      response.writeHead(issuer.status, { "Content-Type": "application/jwk-set+json" });
      response.end(JSON.stringify({ keys: issuer.keys }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    issuer.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`;
    return issuer;
  }

  /** Makes a key, and shows its public half. */
  async addKey(kid: string, alg = "ES256"): Promise<JWK> {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
    this.#pairs.set(kid, { alg, privateKey });
    this.keys.push(jwk);
    return jwk;
  }

  /** A token that is signed with a key. @param shownKid - what it says of the key */
  sign(kid: string, claims: JWTPayload = {}, shownKid = kid): Promise<string> {
    const pair = this.#pairs.get(kid);
    if (!pair) throw new Error(`There is no key ${kid}.`);
    return new SignJWT({ exp: Math.floor(Date.now() / 1_000) + 3_600, ...claims })
      .setProtectedHeader({ alg: pair.alg, kid: shownKid })
      .sign(pair.privateKey);
  }
}
