import { describe, expect, test } from "vitest";
import type { TokenOptions } from "../../../src/scaffold/index.ts";
import { bearer, secret } from "../tokens/issuer.ts";
import { here, serve } from "./service.ts";

const shared = "one-token-for-all";
const notes = "CREATE TABLE notes (id integer PRIMARY KEY, text text)";

const post = { id: 1, text: "a" };

describe("The one token that all share", () => {
  test("lets who has it do everything", async () => {
    const { send } = await serve(notes, { tokens: { shared } });

    const answers = [
      await send("POST", "/notes", post, bearer(shared)),
      await send("GET", "/notes/1", undefined, bearer(shared)),
      await send("DELETE", "/notes/1", undefined, bearer(shared)),
    ];

    expect(answers.map(({ status }) => status)).toEqual([201, 200, 204]);
  });

  test.each(["GET", "HEAD", "POST", "OPTIONS"])("is asked of everybody (%s)", async (method) => {
    const { send, rows } = await serve(notes, { tokens: { shared } });

    const answer = await send(method, "/notes", method === "POST" ? post : undefined);

    expect([answer.status, answer.field("WWW-Authenticate")]).toEqual([401, "Bearer"]);
    expect(await rows("SELECT * FROM notes")).toEqual([]);
  });

  test.each(["one-token-for-al", "one-token-for-alL", "one-token-for-alll", "nonsense", "a.b.c"])(
    "is no other one: %s",
    async (token) => {
      const { send } = await serve(notes, { tokens: { shared } });

      const answer = await send("GET", "/notes", undefined, bearer(token));

      expect([answer.status, answer.field("WWW-Authenticate")]).toEqual([401, 'Bearer error="invalid_token"']);
      expect(answer.json).toMatchObject({ detail: "The token is not the one that is asked for here." });
    },
  );

  test("is one owner of idempotency keys, whom those without a token are not", async () => {
    const { send } = await serve(notes, { tokens: { shared } });
    const once = { "Idempotency-Key": '"1"', ...bearer(shared) };

    const answers = [await send("POST", "/notes", post, once), await send("POST", "/notes", post, once)];

    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
  });
});

describe("Those without a token, where they may read,", () => {
  test("get what there is, and write nothing", async () => {
    const { send, rows } = await serve(notes, { tokens: { shared, anonymous: "read" } });

    const answers = [
      await send("GET", "/notes"),
      await send("HEAD", "/notes"),
      await send("OPTIONS", "/notes"),
      await send("POST", "/notes", post),
      await send("PUT", "/notes/1", post),
      await send("PATCH", "/notes/1", { text: "b" }),
      await send("DELETE", "/notes/1"),
      await send("POST", "/.well-known/rocket/batch", [{ method: "POST", url: "/notes", body: post }]),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 204, 401, 401, 401, 401, 401]);
    expect(await rows("SELECT * FROM notes")).toEqual([]);
  });

  test("are refused with a token that is wrong", async () => {
    const { send } = await serve(notes, { tokens: { shared, anonymous: "read" } });

    expect((await send("GET", "/notes", undefined, bearer("another-token-x"))).status).toBe(401);
  });

  test("are refused where it says that they may do nothing", async () => {
    const { send } = await serve(notes, { tokens: { shared, anonymous: "none" } });

    expect((await send("GET", "/notes")).status).toBe(401);
  });
});

describe("Options of tokens that can't be are refused:", () => {
  test.each<[string, TokenOptions, RegExp]>([
    ["no tokens at all", {}, /^tokens must have a secret, jwks or shared/],
    ["a short one", { shared: "fifteen-letters" }, /^tokens.shared must have 16 characters at least; it has 15/],
    ["one with a space", { shared: "one token for all" }, /^tokens.shared may have letters, digits/],
    [
      "a word that is none",
      { shared, anonymous: "all" as never },
      /^tokens.anonymous must be "read" or "none", not "all"/,
    ],
  ])("%s", async (_what, tokens, message) => {
    await expect(serve(notes, { tokens })).rejects.toThrow(message);
  });

  test("beside JWTs on PostgreSQL, whose roles it has none of", async () => {
    const serving = serve(notes, { tokens: { shared, secret } });
    const trouble = serving.then(
      () => undefined,
      ({ message }: Error) => message,
    );

    expect(await trouble).toEqual(
      here({
        sqlite: undefined,
        postgres: "tokens.shared can't be beside secret, jwks or users.role on PostgreSQL: it names no role.",
      }),
    );
  });
});
