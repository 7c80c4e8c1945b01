import { createHash } from "node:crypto";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../src/server/index.ts";
import { bearer, secret, signed } from "../tokens/issuer.ts";
import { here } from "./service.ts";
import { ann, cookieOf, serveUsers, setCookie } from "./users.ts";

const table = (name: string): string => here({ sqlite: `_rocket_${name}`, postgres: `rocket_users.${name}` });

/** The platform's clock, whose time of day can be put forward. */
function skippingClock() {
  let skippedMs = 0;
  const clock: Clock = { ...systemClock, wallTime: () => systemClock.wallTime() + skippedMs };
  const skip = (ms: number): void => {
    skippedMs += ms;
  };
  return { clock, skip };
}

const minuteMs = 60_000;
const local = { Host: "127.0.0.1:8080" };

describe("A refresh token", () => {
  test("is replaced each time, and the session goes on", async () => {
    const { signUp, refresh, get } = await serveUsers();
    const first = await signUp();

    const second = await refresh(first.refresh_token);
    const third = await refresh(second.json.refresh_token);

    expect([second.status, third.status, await get(third.json.access_token)]).toEqual([200, 200, 200]);
    expect(new Set([first, second.json, third.json].map((one) => one.refresh_token)).size).toBe(3);
    expect(decodeJwt(third.json.access_token).sid).toBe(decodeJwt(first.access_token).sid);
  });

  test("gives two tabs that come with it at once the same next one, also through two processes", async () => {
    const { signUp, refresh, again, get } = await serveUsers();
    const { origin } = await again();
    const { refresh_token: token } = await signUp();
    const elsewhere = async () => {
      const body = JSON.stringify({ refresh_token: token });
      const fields = [["Content-Type", "application/json"]] as const;
      const answer = await origin({ method: "POST", target: "/auth/refresh", fields, body });
      return { status: answer.status, json: JSON.parse(String(answer.body)) as { refresh_token: string } };
    };

    const answers = await Promise.all([refresh(token), elsewhere(), refresh(token), elsewhere()]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1);
    const next = await refresh(answers[0]?.json.refresh_token ?? "");
    expect([next.status, await get(next.json.access_token)]).toEqual([200, 200]);
  });

  test("that was replaced a while ago ends the session, for whoever has it", async () => {
    const { clock, skip } = skippingClock();
    const { signUp, refresh, get } = await serveUsers({ clock });
    const { refresh_token: stolen, access_token: old } = await signUp();
    const next = await refresh(stolen);
    skip(31_000);

    expect((await refresh(stolen)).status).toBe(401);
    expect((await refresh(next.json.refresh_token)).status).toBe(401);
    expect([await get(next.json.access_token), await get(old)]).toEqual([401, 401]);
  });

  test("that was replaced twice ends the session at once", async () => {
    const { signUp, refresh, get } = await serveUsers();
    const { refresh_token: stolen } = await signUp();
    const second = await refresh(stolen);
    const third = await refresh(second.json.refresh_token);

    expect((await refresh(stolen)).status).toBe(401);
    expect((await refresh(third.json.refresh_token)).status).toBe(401);
    expect(await get(third.json.access_token)).toBe(401);
  });

  test("that was never one ends nothing", async () => {
    const { signUp, refresh } = await serveUsers();
    const { refresh_token: token } = await signUp();
    const [id = "", secretPart = ""] = token.split(".");
    const guess = createHash("sha256").update("guess").digest("base64url");

    const statuses = [
      (await refresh(`${id}.${guess}`)).status,
      (await refresh(`${id}.${secretPart.slice(1)}`)).status,
      (await refresh(`00000000-0000-4000-8000-000000000000.${secretPart}`)).status,
      (await refresh("nonsense")).status,
      (await refresh(token)).status,
    ];

    expect(statuses).toEqual([401, 401, 401, 401, 200]);
  });

  test("counts for thirty days, from its last use on", async () => {
    const { clock, skip } = skippingClock();
    const { signUp, refresh } = await serveUsers({ clock });
    const first = await signUp();
    skip(29 * 24 * 60 * minuteMs);
    const second = await refresh(first.refresh_token);
    skip(29 * 24 * 60 * minuteMs);
    const third = await refresh(second.json.refresh_token);
    skip(31 * 24 * 60 * minuteMs);

    expect([second.status, third.status, (await refresh(third.json.refresh_token)).status]).toEqual([200, 200, 401]);
  });

  test("is stored as a digest, and passwords as hashes", async () => {
    const { signUp, rows } = await serveUsers();
    const { refresh_token: token } = await signUp();

    const stored = JSON.stringify([
      await rows(`SELECT * FROM ${table("users")}`),
      await rows(`SELECT * FROM ${table("sessions")}`),
    ]);

    expect(stored).not.toContain(token.split(".")[1]);
    expect(stored).not.toContain(ann.password);
    expect(stored).toMatch(/scrypt:4:8:1:[\w-]{22}:[\w-]{43}/);
  });
});

describe("An access token", () => {
  test("counts for ten minutes", async () => {
    const { clock, skip } = skippingClock();
    const { signUp, get, refresh } = await serveUsers({ clock });
    const { access_token: token, refresh_token: next } = await signUp();
    skip(10 * minuteMs - 2_000);
    const before = await get(token);
    skip(3_000);

    expect([before, await get(token), (await refresh(next)).status]).toEqual([200, 401, 200]);
  });

  test("is no refresh token, nor the other way round", async () => {
    const { signUp, refresh, get } = await serveUsers();
    const { access_token: token, refresh_token: next } = await signUp();

    expect([(await refresh(token)).status, await get(next)]).toEqual([401, 401]);
  });

  test("of another service's key is refused, by whatever algorithm", async () => {
    const { signUp, get, rows } = await serveUsers();
    const { access_token: token } = await signUp();
    const claims = decodeJwt(token);
    const header = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()) as { kid: string };
    const [[stored]] = (await rows(`SELECT value FROM ${table("keys")} WHERE name = 'signing'`)) as [[string]];
    const { x = "" } = JSON.parse(stored) as { x?: string };
    const { privateKey } = await generateKeyPair("EdDSA");
    const rsa = await generateKeyPair("RS256");
    const sign = (alg: string, key: CryptoKey | Uint8Array): Promise<string> =>
      new SignJWT(claims).setProtectedHeader({ alg, kid: header.kid }).sign(key);
    const [head = "", body = "", signature = ""] = token.split(".");
    const other = Buffer.from(JSON.stringify({ ...claims, sub: "somebody-else" })).toString("base64url");

    const forged = [
      await sign("EdDSA", privateKey),
      await sign("RS256", rsa.privateKey),
      // The public key as a secret.
      await sign("HS256", Buffer.from(x.padEnd(64, "="))),
      await sign("HS256", Buffer.from(JSON.stringify(await exportJWK(privateKey).catch(() => ({ x }))).padEnd(64))),
      new UnsecuredJWT(claims).encode(),
      `${head}.${other}.${signature}`,
      `${head}.${body}.`,
      await signed({ ...claims }, { key: secret }),
    ];

    expect(await Promise.all(forged.map(get))).toEqual(forged.map(() => 401));
    expect(await get(token)).toBe(200);
  });

  test("of a user does not count at another database", async () => {
    const [one, other] = [await serveUsers(), await serveUsers()];
    const { access_token: token } = await one.signUp();
    await other.signUp();

    expect([await one.get(token), await other.get(token)]).toEqual([200, 401]);
  });

  test("counts beside tokens that others sign, which no user's claims can be", async () => {
    const { signUp, get } = await serveUsers({
      tokens: here({ sqlite: { secret }, postgres: { shared: secret.replaceAll(/[ ,]/g, "-") } }),
    });
    const { access_token: token } = await signUp();
    const theirs = here({ sqlite: await signed({ sub: "ben" }), postgres: secret.replaceAll(/[ ,]/g, "-") });

    expect([await get(token), await get(theirs)]).toEqual([200, 200]);
  });
});

describe("Who signs out", () => {
  test.each<
    [string, (tokens: { access_token: string; refresh_token: string }) => [object | undefined, Record<string, string>]]
  >([
    ["a refresh token", ({ refresh_token }) => [{ refresh_token }, {}]],
    ["an access token", ({ access_token: token }) => [undefined, bearer(token)]],
  ])("with %s has no session any more, and others have theirs", async (_what, shown) => {
    const { send, signUp, signIn, get, refresh } = await serveUsers();
    const [tokens, others] = [await signUp(), await signIn()];
    const [body, fields] = shown(tokens);

    const answer = await send("POST", "/auth/sign-out", body, fields);

    expect(answer.status).toBe(204);
    expect([await get(tokens.access_token), (await refresh(tokens.refresh_token)).status]).toEqual([401, 401]);
    expect([await get(others.access_token), (await refresh(others.refresh_token)).status]).toEqual([200, 200]);
  });

  test("twice, or without a session, finds nothing wrong", async () => {
    const { send, signUp } = await serveUsers();
    const { refresh_token } = await signUp();
    const out = (body: object | undefined, fields?: Record<string, string>) =>
      send("POST", "/auth/sign-out", body, fields);

    const answers = [
      await out({ refresh_token }),
      await out({ refresh_token }),
      await out(undefined),
      await out(undefined, bearer("x")),
    ];

    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204]);
  });

  test("is signed out of other processes, soon", async () => {
    const { send, signUp, again } = await serveUsers();
    const { origin } = await again();
    const { access_token: token } = await signUp();
    const elsewhere = async (): Promise<number> =>
      (await origin({ method: "GET", target: "/notes", fields: Object.entries(bearer(token)), body: "" })).status;
    expect(await elsewhere()).toBe(200);

    await send("POST", "/auth/sign-out", undefined, bearer(token));

    await expect.poll(elsewhere, { timeout: 10_000 }).toBe(401);
  });
});

describe("A browser's cookie", () => {
  test("is HttpOnly, of the same site, and Secure but on the same machine", async () => {
    const { send } = await serveUsers();
    const near = await send("POST", "/auth/sign-up", { ...ann, cookie: true }, local);
    const far = await send("POST", "/auth/sign-in", { ...ann, cookie: true }, { Host: "shop.example.com" });
    const rebound = await send("POST", "/auth/sign-in", { ...ann, cookie: true }, { Host: "127.0.0.1.example.com" });

    const attributes = "Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax";
    expect(setCookie(near)).toMatch(new RegExp(`^rocket-session=[\\w.-]{80}; ${attributes}$`));
    expect(setCookie(far)).toMatch(new RegExp(`^__Host-rocket-session=[\\w.-]{80}; ${attributes}; Secure$`));
    expect(setCookie(rebound)).toMatch(/^__Host-.*; Secure$/);
    expect(near.json).toEqual({ user: expect.objectContaining({ email: ann.email }) });
  });

  test("makes what it is answered nobody else's", async () => {
    const { send } = await serveUsers();
    const cookie = cookieOf(await send("POST", "/auth/sign-up", { ...ann, cookie: true }, local));

    const answer = await send("GET", "/notes", undefined, { ...local, Cookie: cookie });

    expect(answer.fields).toContainEqual(["Cache-Control", "private"]);
    expect(answer.fields).toContainEqual(["Vary", "Authorization, Cookie"]);
  });

  test("stands for its user, and no cookie of that name that somebody else could set", async () => {
    const { send } = await serveUsers();
    const cookie = cookieOf(await send("POST", "/auth/sign-up", { ...ann, cookie: true }, local));
    const far = { Host: "shop.example.com" };

    const statuses = [
      (await send("GET", "/notes", undefined, { ...local, Cookie: cookie })).status,
      (await send("GET", "/notes", undefined, { ...local, Cookie: `a=b; ${cookie}; c=d` })).status,
      (await send("GET", "/auth/user", undefined, { ...local, Cookie: cookie })).status,
      (await send("GET", "/notes", undefined, { ...far, Cookie: cookie })).status,
      (await send("GET", "/notes", undefined, { ...local, Cookie: `${cookie}x` })).status,
    ];

    expect(statuses).toEqual([200, 200, 200, 401, 401]);
  });

  test("can't be another one's: who signs in has a new session, and the one before has ended", async () => {
    const { send } = await serveUsers();
    const first = cookieOf(await send("POST", "/auth/sign-up", { ...ann, cookie: true }, local));
    const invented = "rocket-session=00000000-0000-4000-8000-000000000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    const second = cookieOf(await send("POST", "/auth/sign-in", { ...ann, cookie: true }, { ...local, Cookie: first }));
    const third = cookieOf(
      await send("POST", "/auth/sign-in", { ...ann, cookie: true }, { ...local, Cookie: invented }),
    );
    const of = async (cookie: string) => (await send("GET", "/notes", undefined, { ...local, Cookie: cookie })).status;

    expect(await Promise.all([first, second, third, invented].map(of))).toEqual([401, 200, 200, 401]);
  });

  test("is forgotten with the session, and no refresh token", async () => {
    const { send, refresh } = await serveUsers();
    const cookie = cookieOf(await send("POST", "/auth/sign-up", { ...ann, cookie: true }, local));
    const asToken = (await refresh(cookie.split("=")[1] ?? "")).status;

    const out = await send("POST", "/auth/sign-out", undefined, { ...local, Cookie: cookie });
    const after = await send("GET", "/auth/user", undefined, { ...local, Cookie: cookie });

    expect([asToken, out.status, after.status]).toEqual([401, 204, 401]);
    expect([setCookie(out), setCookie(after)]).toEqual(
      Array.from({ length: 2 }, () => "rocket-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),
    );
  });

  test("goes on as long as it is used within thirty days", async () => {
    const { clock, skip } = skippingClock();
    const { send } = await serveUsers({ clock });
    const cookie = cookieOf(await send("POST", "/auth/sign-up", { ...ann, cookie: true }, local));
    const user = () => send("GET", "/auth/user", undefined, { ...local, Cookie: cookie });
    const soon = await user();
    skip(29 * 24 * 60 * minuteMs);
    const later = await user();
    skip(29 * 24 * 60 * minuteMs);
    const much = await user();

    expect([soon.status, later.status, much.status]).toEqual([200, 200, 200]);
    expect([setCookie(soon), cookieOf(later)]).toEqual([undefined, cookie]);
  });

  test("is not asked for in band, where no answer sets one", async () => {
    const { scaffold } = await serveUsers();
    const fields = [["Content-Type", "application/json"]] as const;
    const body = JSON.stringify({ ...ann, cookie: true });

    const answer = await scaffold.origin({ method: "POST", target: "/auth/sign-up", fields, body, isInBand: true });

    expect(answer.status).toBe(421);
  });
});
