import { describe, expect, test } from "vitest";
import { bearer } from "../tokens/issuer.ts";
import { ann, serveUsers, setCookie, users } from "./users.ts";

describe("Who signs up", () => {
  test("is given tokens, which count at once", async () => {
    const { send, get } = await serveUsers();

    const answer = await send("POST", "/auth/sign-up", ann);
    const json = answer.json as Record<string, unknown>;

    expect([answer.status, answer.field("Location"), answer.field("Cache-Control")]).toEqual([
      201,
      "/auth/user",
      "no-store",
    ]);
    expect(json).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: "Bearer",
      expires_in: 600,
      refresh_token: expect.any(String),
      user: { id: expect.stringMatching(/^[\da-f-]{36}$/), email: ann.email, claims: {} },
    });
    expect(setCookie(answer)).toBeUndefined();
    expect(await get(String(json.access_token))).toBe(200);
  });

  test("is shown as who signs in", async () => {
    const { send, signUp } = await serveUsers();
    const { access_token: token, user } = await signUp();

    const answer = await send("GET", "/auth/user", undefined, bearer(token));

    expect([answer.status, answer.json]).toEqual([200, { user }]);
  });

  test("is said how, where nobody is let in without", async () => {
    const { send } = await serveUsers();

    const { status, json } = await send("GET", "/auth/nothing-here");
    const list = await send("GET", "/");

    expect([status, list.status]).toEqual([401, 401]);
    expect(json).toMatchObject({
      detail: "This needs a sign-in, by POST auth/sign-in, or a token: Authorization: Bearer …",
    });
  });

  test("may use a form", async () => {
    const { send } = await serveUsers();
    const form = { "Content-Type": "application/x-www-form-urlencoded" };

    const up = await send("POST", "/auth/sign-up", "email=ann%40example.com&password=correct+horse", form);
    const into = await send("POST", "/auth/sign-in", "email=ann%40example.com&password=correct+horse", form);

    expect([up.status, into.status]).toEqual([201, 200]);
  });

  test("can't where only those are let in who are invited", async () => {
    const { send } = await serveUsers({ users: { ...users, signUp: false } });

    expect((await send("POST", "/auth/sign-up", ann)).status).toBe(401);
    expect((await send("POST", "/auth/sign-in", ann)).status).toBe(401);
  });

  test("is told where the email has an account, however that is written", async () => {
    const { send, signUp } = await serveUsers();
    await signUp();

    const answer = await send("POST", "/auth/sign-up", { ...ann, email: " ANN@Ｅxample.com " });

    expect(answer.status).toBe(409);
    expect(answer.json).toMatchObject({ errors: [{ field: "email" }] });
  });

  test.each<[string, object, string]>([
    ["no email", { email: "ann", password: "correct horse" }, "email"],
    ["an email with a line", { email: "ann@x.com\r\nBcc: b@x.com", password: "correct horse" }, "email"],
    ["an email with a NUL", { email: "ann\0@x.com", password: "correct horse" }, "email"],
    ["an email with half a character", { email: "ann\ud800@x.com", password: "correct horse" }, "email"],
    ["an email without end", { email: `${"a".repeat(300)}@x.com`, password: "correct horse" }, "email"],
    ["an email that hides letters", { email: "ann\u200b@x.com", password: "correct horse" }, "email"],
    ["a short password", { email: "ann@x.com", password: "1234567" }, "password"],
    ["a password without end", { email: "ann@x.com", password: "p".repeat(1_001) }, "password"],
    ["claims of one's own", { ...ann, claims: { role: "admin" } }, "claims"],
    ["a number for a password", { email: "ann@x.com", password: 12_345_678 }, "password"],
  ])("is refused with %s", async (_what, body, field) => {
    const { send } = await serveUsers();

    const answer = await send("POST", "/auth/sign-up", body);

    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ errors: [{ field }] });
  });
});

describe("Who signs in", () => {
  test("is told the same whether the email is wrong or the password, or the account is disabled", async () => {
    const { send, signUp } = await serveUsers();
    await signUp();

    const answers = [
      await send("POST", "/auth/sign-in", { ...ann, password: "wrong horse" }),
      await send("POST", "/auth/sign-in", { ...ann, email: "ben@example.com" }),
      await send("POST", "/auth/sign-in", { ...ann, email: "none at all" }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  });

  test.each([
    ["text/plain", JSON.stringify(ann), 415],
    ["application/json", "{", 400],
    ["application/json", "[]", 422],
    ["application/json", "null", 422],
    ["application/json", "", 400],
    ["application/json", `{"email":"${"a".repeat(9_000)}"}`, 413],
    ["application/json", "{}", 422],
    ["application/x-www-form-urlencoded", "email=a@x.com&email=b@x.com&password=12345678", 422],
  ])("with a body of %s, %s, is refused", async (type, body, status) => {
    const { send } = await serveUsers();

    expect((await send("POST", "/auth/sign-in", body, { "Content-Type": type })).status).toBe(status);
  });

  test.each([
    ["GET", "/auth/sign-in", "POST, OPTIONS"],
    ["DELETE", "/auth/user", "GET, HEAD, OPTIONS"],
    ["constructor", "/auth/user", "GET, HEAD, OPTIONS"],
  ])("finds no other methods: %s %s", async (method, target, allow) => {
    const { send } = await serveUsers();

    const [answer, options] = [await send(method, target), await send("OPTIONS", target)];

    expect([answer.status, answer.field("Allow")]).toEqual([405, allow]);
    expect([options.status, options.field("Allow")]).toEqual([204, allow]);
  });
});
