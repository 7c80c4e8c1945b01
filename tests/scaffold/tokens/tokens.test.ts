import { type JWTPayload, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import type { TokenOptions } from "../../../src/scaffold/index.ts";
import { type Clock, systemClock } from "../../../src/server/index.ts";
import { serve } from "../sqlite/service.ts";
import { bearer, Issuer, secret, signed } from "./issuer.ts";

const notes = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)";
const nowS = (): number => Math.floor(Date.now() / 1_000);

/** A service that asks for tokens, and what it answers to a GET with one. */
async function start(tokens: TokenOptions, clock: Clock = systemClock) {
  const service = await serve(notes, { tokens, clock });
  const get = (token: string) => service.send("GET", "/notes", undefined, bearer(token));
  return { ...service, get };
}

/** The platform's clock, and what lets time go by. */
function skippingClock() {
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + skippedMs };
  const skip = (ms: number): void => {
    skippedMs += ms;
  };
  return { clock, skip };
}

describe("A request without a token", () => {
  test.each(["GET", "HEAD", "POST", "OPTIONS", "DELETE"])("(%s) is 401, and says what is asked for", async (method) => {
    const { send, other } = await start({ secret });

    const answer = await send(method, "/notes", method === "POST" ? { text: "a" } : undefined);

    expect([answer.status, answer.field("WWW-Authenticate")]).toEqual([401, "Bearer"]);
    expect(answer.field("Content-Type")).toBe("application/problem+json");
    expect(other.prepare("SELECT count(*) FROM notes").pluck().get()).toBe(0);
  });

  test("is answered as ever where no tokens are asked for", async () => {
    const { send } = await serve(notes);

    expect((await send("GET", "/notes")).status).toBe(200);
    expect((await send("GET", "/notes", undefined, { Authorization: "Bearer nonsense" })).status).toBe(200);
  });
});

describe("A token that counts", () => {
  test.each(["HS256", "HS384", "HS512"])("is signed with the secret by %s", async (alg) => {
    const { get } = await start({ secret });

    expect((await get(await signed({ sub: "ann" }, { alg }))).status).toBe(200);
  });

  test.each(["RS256", "PS256", "RS512", "PS384", "ES256", "ES384", "ES512", "EdDSA"])(
    "is signed for a public key by %s",
    async (alg) => {
      const issuer = await Issuer.start();
      await issuer.addKey("1", alg);
      const { get } = await start({ jwks: issuer.url });

      expect((await get(await issuer.sign("1"))).status).toBe(200);
    },
  );

  test.each<[string, TokenOptions, JWTPayload]>([
    ["has no end", {}, { exp: undefined as never }],
    ["is of a clock that is a little ahead", {}, { nbf: nowS() + 10 }],
    ["is of the issuer", { issuer: "https://id.example" }, { iss: "https://id.example" }],
    ["is meant for this service", { audience: "shop" }, { aud: "shop" }],
    ["is meant for this service and others", { audience: ["shop", "till"] }, { aud: ["bank", "till"] }],
    ["names nobody whom it is for, and has the secret's signature", { audience: "shop" }, {}],
  ])("%s", async (_what, options, claims) => {
    const { get } = await start({ secret, ...options });

    expect((await get(await signed(claims))).status).toBe(200);
  });
});

describe("The one token that all share", () => {
  test("counts beside those that are signed", async () => {
    const shared = "one-token-for-all";
    const { get } = await start({ secret, shared });

    const answers = [await get(shared), await get(await signed({ sub: "ann" })), await get(`${shared}s`)];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 401]);
  });
});

describe("A token is refused with 401", () => {
  const cases: readonly [string, TokenOptions, () => string | Promise<string>, RegExp][] = [
    ["that is over", {}, () => signed({ exp: nowS() - 3_600 }), /has expired/],
    ["that is over since a moment", {}, () => signed({ exp: nowS() - 2 }), /has expired/],
    ["that does not count yet", {}, () => signed({ nbf: nowS() + 3_600 }), /does not count yet/],
    ["of another secret", {}, () => signed({}, { key: `${secret}!` }), /signature is not right/],
    ["that nobody signed", {}, () => new UnsecuredJWT({ sub: "ann" }).encode(), /algorithm that is not taken/],
    ["that is none", {}, () => "nonsense", /no JSON Web Token/],
    ["whose claims were changed", {}, changed, /signature is not right/],
    ["of another issuer", { issuer: "https://id.example" }, () => signed({ iss: "https://no.example" }), /issuer/],
    ["of no issuer", { issuer: "https://id.example" }, () => signed({}), /issuer/],
    ["that is meant for others", { audience: "shop" }, () => signed({ aud: "bank" }), /meant for others/],
    ["that is meant for somebody, where this is nobody", {}, () => signed({ aud: "bank" }), /meant for others/],
    ["whose end is no number", {}, () => signed({ exp: "soon" as never }), /claim of the token/],
  ];

  async function changed(): Promise<string> {
    const [head, , signature] = (await signed({ sub: "ann" })).split(".");
    const claims = Buffer.from(JSON.stringify({ sub: "ben", exp: nowS() + 60 })).toString("base64url");
    return `${head}.${claims}.${signature}`;
  }

  test.each(cases)("%s", async (_what, options, make, detail) => {
    const { get, errors } = await start({ secret, ...options });

    const answer = await get(await make());

    expect([answer.status, answer.field("WWW-Authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
    expect((answer.json as { detail: string }).detail).toMatch(detail);
    expect(errors).toEqual([]);
  });

  test.each([{}, { secret: "some other secret of this service" }])(
    "that has a public key for its secret, with the options %j",
    async (options) => {
      const issuer = await Issuer.start();
      const jwk = await issuer.addKey("1", "RS256");
      const { get } = await start({ jwks: issuer.url, ...options });

      const forged = await Promise.all([JSON.stringify(jwk), jwk.n ?? ""].map((key) => signed({}, { key })));

      for (const token of forged) expect((await get(token)).status).toBe(401);
    },
  );

  test("that has the secret's signature where only public keys count, and the other way round", async () => {
    const issuer = await Issuer.start();
    await issuer.addKey("1");
    const [byKeys, bySecret] = [await start({ jwks: issuer.url }), await start({ secret })];

    expect((await byKeys.get(await signed({}))).status).toBe(401);
    expect((await bySecret.get(await issuer.sign("1"))).status).toBe(401);
  });

  test("that names nobody whom it is for, where its keys may be others', too", async () => {
    const issuer = await Issuer.start();
    await issuer.addKey("1");
    const { get } = await start({ jwks: issuer.url, audience: "shop" });

    expect((await get(await issuer.sign("1"))).status).toBe(401);
    expect((await get(await issuer.sign("1", { aud: "shop" }))).status).toBe(200);
  });

  test.each([
    ["another scheme", [["Authorization", "Basic YTpi"]]],
    ["no token in it", [["Authorization", "Bearer"]]],
    ["two of them", "two"],
  ])("in a field with %s", async (_what, given) => {
    const { scaffold } = await start({ secret });
    const good: [string, string] = ["Authorization", `Bearer ${await signed({})}`];
    const fields = given === "two" ? [good, good] : (given as [string, string][]);

    const { status } = await scaffold.origin({ method: "GET", target: "/notes", fields, body: "" });

    expect(status).toBe(401);
  });

  test("from its end on, though it was taken before", async () => {
    const clock = { ...systemClock, wallTime: () => Date.now() };
    const { get } = await start({ secret }, clock);
    const token = await signed({ exp: nowS() + 60 });
    expect((await get(token)).status).toBe(200);

    clock.wallTime = () => Date.now() + 60_000;

    expect((await get(token)).status).toBe(401);
  });
});

describe("The public keys", () => {
  test("are fetched once, and once more for one that is not among them, no more than every 30 seconds", async () => {
    const issuer = await Issuer.start();
    await issuer.addKey("1");
    const { clock, skip } = skippingClock();
    const { get } = await start({ jwks: issuer.url }, clock);
    const unknown = (at: number) => issuer.sign("1", {}, `unknown-${at}`);
    for (let at = 0; at < 5; at += 1) expect((await get(await issuer.sign("1", { sub: `${at}` }))).status).toBe(200);
    expect(issuer.requests).toBe(1);

    for (let at = 0; at < 5; at += 1) expect((await get(await unknown(at))).status).toBe(401);
    expect(issuer.requests).toBe(1);
    await issuer.addKey("2");
    skip(30_000);
    expect((await get(await issuer.sign("2"))).status).toBe(200);
    for (let at = 5; at < 10; at += 1) expect((await get(await unknown(at))).status).toBe(401);

    expect(issuer.requests).toBe(2);
  });

  test("that are taken back count no more after ten minutes", async () => {
    const issuer = await Issuer.start();
    await issuer.addKey("1");
    const { clock, skip } = skippingClock();
    const { get } = await start({ jwks: issuer.url }, clock);
    const token = await issuer.sign("1");
    expect((await get(token)).status).toBe(200);

    issuer.keys = [];
    skip(10 * 60_000);

    expect((await get(token)).status).toBe(401);
  });

  test("that can't be had make a 503, and are asked for again after a while", async () => {
    const issuer = await Issuer.start();
    await issuer.addKey("1");
    issuer.status = 500;
    const { clock, skip } = skippingClock();
    const { get, errors } = await start({ jwks: issuer.url }, clock);

    for (let at = 0; at < 5; at += 1) {
      const answer = await get(await issuer.sign("1"));
      expect([answer.status, answer.field("Retry-After")]).toEqual([503, "1"]);
    }
    expect([issuer.requests, errors.length]).toEqual([1, 1]);
    expect(errors[0]).toMatchObject({ code: "keys-unreachable" });
    issuer.status = 200;
    skip(2_000);

    expect((await get(await issuer.sign("1"))).status).toBe(200);
  });

  test("that were had before go on counting while they can't be had", async () => {
    const issuer = await Issuer.start();
    await issuer.addKey("1");
    const { clock, skip } = skippingClock();
    const { get } = await start({ jwks: issuer.url }, clock);
    await get(await issuer.sign("1"));

    issuer.status = 500;
    skip(60 * 60_000);

    expect((await get(await issuer.sign("1", { sub: "later" }))).status).toBe(200);
    expect(issuer.requests).toBe(2);
  });
});

describe("An Idempotency-Key", () => {
  const post = { text: "once" };

  test("belongs to the person who sent it, also with another token", async () => {
    const { send, other } = await start({ secret });
    const fields = async (claims: JWTPayload) => ({ "Idempotency-Key": '"k"', ...bearer(await signed(claims)) });
    const ann = await send("POST", "/notes", post, await fields({ sub: "ann", iat: 1, jti: "1" }));

    const again = await send("POST", "/notes", post, await fields({ sub: "ann", iat: 2, jti: "2", exp: nowS() + 9 }));
    const ben = await send("POST", "/notes", post, await fields({ sub: "ben" }));
    const ofOther = await send("POST", "/notes", post, await fields({ sub: "ann", iss: "https://no.example" }));
    const nameless = await send("POST", "/notes", post, await fields({ email: "a@example.com", iat: 1 }));
    const namelessAgain = await send("POST", "/notes", post, await fields({ email: "a@example.com", iat: 2 }));

    const places = [ann, again, ben, ofOther, nameless, namelessAgain].map((answer) => answer.field("Location"));
    expect(places).toEqual(["/notes/1", "/notes/1", "/notes/2", "/notes/3", "/notes/4", "/notes/4"]);
    expect(other.prepare("SELECT count(*) FROM notes").pluck().get()).toBe(4);
  });

  test("of two persons is two, where their numbers are the same to JavaScript", async () => {
    const { send } = await start({ secret });
    const token = async (sub: string) => {
      const claims = Buffer.from(`{"sub":${sub},"exp":${nowS() + 60}}`).toString("base64url");
      const head = Buffer.from('{"alg":"HS256"}').toString("base64url");
      const key = await crypto.subtle.importKey(
        ...(["raw", new TextEncoder().encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]] as const),
      );
      const signature = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${head}.${claims}`));
      return `${head}.${claims}.${Buffer.from(signature).toString("base64url")}`;
    };
    const fields = async (sub: string) => ({ "Idempotency-Key": '"k"', ...bearer(await token(sub)) });

    const first = await send("POST", "/notes", post, await fields("9007199254740992"));
    const second = await send("POST", "/notes", post, await fields("9007199254740993"));

    expect([first.field("Location"), second.field("Location")]).toEqual(["/notes/1", "/notes/2"]);
  });
});

describe("Writes of one turn", () => {
  test("keep their order while their token is looked at", async () => {
    const { send } = await start({ secret });
    const fields = bearer(await signed({ sub: "ann" }));

    const answers = await Promise.all(["a", "b", "c"].map((text) => send("POST", "/notes", { text }, fields)));

    expect(answers.map(({ json }) => (json as { note: { id: number; text: string } }).note)).toMatchObject([
      { id: 1, text: "a" },
      { id: 2, text: "b" },
      { id: 3, text: "c" },
    ]);
  });
});

describe("Options for tokens", () => {
  test.each<[TokenOptions, RegExp]>([
    [{}, /tokens must have a secret, jwks or shared/],
    [{ secret: "short" }, /^tokens\.secret must have 32 bytes at least; it has 5\.$/],
    [{ jwks: "http://id.example.com/keys" }, /^tokens\.jwks must be an https: URL/],
    [{ jwks: "http://[2001:db8::1]/keys" }, /^tokens\.jwks must be an https: URL/],
    [{ jwks: "keys.json" }, /^tokens\.jwks must be an https: URL/],
    [{ secret, anonymousRole: "anon" }, /^tokens\.anonymousRole is for PostgreSQL/],
    [{ secret, roleClaim: "role" }, /^tokens\.roleClaim is for PostgreSQL/],
  ])("that can't be are refused: %j", async (tokens, message) => {
    await expect(serve(notes, { tokens })).rejects.toThrow(message);
  });
});
