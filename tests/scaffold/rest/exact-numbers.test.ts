import { describe, expect, inject, test } from "vitest";
import { type EngineSql, serve } from "./service.ts";

const big: EngineSql = {
  sqlite: `CREATE TABLE sums (id INTEGER PRIMARY KEY, n INTEGER, d REAL, t TEXT);
    CREATE TABLE parts (id INTEGER PRIMARY KEY, sum INTEGER REFERENCES sums, n INTEGER);
    INSERT INTO sums VALUES (1, 9007199254740993, 0.5, '9007199254740993'); INSERT INTO parts VALUES (1, 1, -9223372036854775808)`,
  postgres: `CREATE TABLE sums (id int PRIMARY KEY, n bigint, d float8, t text, x numeric, a bigint[]);
    CREATE TABLE parts (id int PRIMARY KEY, sum int REFERENCES sums, n bigint);
    INSERT INTO sums VALUES (1, 9007199254740993, 0.5, '9007199254740993', 0.10000000000000000001, '{9007199254740993,NULL}');
    INSERT INTO parts VALUES (1, 1, -9223372036854775808)`,
};
const exact = { Accept: 'application/json; profile="exact-numbers"' };
/** What only one engine has. */
const more = inject("engine") === "postgres" ? ',"x":0.10000000000000000001,"a":[9007199254740993,null]' : "";
const record = `{"url":"/sums/1","id":1,"n":9007199254740993,"d":0.5,"t":"9007199254740993"${more}}`;

describe("An answer to who asks for exact numbers", () => {
  test.each([
    ["/sums", `{"sums":[${record}]}`],
    ["/sums/1", `{"sum":${record}}`],
    [
      "/sums?select=n,parts(n)",
      '{"sums":[{"url":"/sums/1","n":9007199254740993,"parts":[{"url":"/parts/1","n":-9223372036854775808}]}]}',
    ],
    ["/sums/1?select=n", '{"sum":{"url":"/sums/1","n":9007199254740993}}'],
    ["/parts?select=n.max()", '{"parts":[{"max":-9223372036854775808}]}'],
  ])("has no number as a text: %s", async (target, text) => {
    const { send } = await serve(big);
    const answer = await send("GET", target, undefined, exact);
    expect([answer.status, answer.field("Content-Type"), answer.text]).toEqual([
      200,
      'application/json; profile="exact-numbers"',
      text,
    ]);
    expect(answer.field("Vary")).toContain("Accept");
    expect(answer.notLive).toContain("application/json only");
    const usual = await send("GET", target);
    expect([usual.field("Content-Type"), usual.text.includes('"n":9007')]).toEqual(["application/json", false]);
    expect(usual.field("ETag")).not.toBe(answer.field("ETag"));
  });

  test.each([
    ["application/json", false],
    ["*/*", false],
    ["application/json; profile=other", false],
    ["application/json; profile=exact-numbers; q=0.4, application/json", false],
    ["text/html, application/json;profile=exact-numbers", true],
    ["application/json, application/json; profile=exact-numbers", true],
  ])("is given to %s: %o", async (Accept, isExact) => {
    const { send } = await serve(big);
    const { status, text } = await send("GET", "/sums/1", undefined, { Accept });
    expect([status, text.includes('"n":9007199254740993')]).toEqual([200, isExact]);
  });

  test("is one to a write as well, whose conditions are about it, and can be put back", async () => {
    const { send } = await serve(big);
    const read = await send("GET", "/sums/1", undefined, exact);
    const match = { ...exact, "If-Match": read.field("ETag") ?? "" };
    const put = await send("PUT", "/sums/1", read.text, match);
    expect([put.status, put.text, put.field("ETag")]).toEqual([200, read.text, read.field("ETag")]);
    const patched = await send("PATCH", "/sums/1", '{"n":9007199254740995}', {
      ...match,
      "Content-Type": "application/json",
    });
    expect([patched.status, patched.text.includes('"n":9007199254740995')]).toEqual([200, true]);
    expect((await send("PATCH", "/sums/1", { d: 1 }, match)).status).toBe(412);
    const list = await send("PATCH", "/sums?id=eq.1", { d: 2 }, exact);
    expect(list.text).toContain('"n":9007199254740995');
    const post = { ...exact, "Content-Type": "application/json" };
    // What is too large to be kept is read again for a repeat.
    const bigPost = `{"id":2,"n":9007199254740999,"t":"${"x".repeat(100_000)}"}`;
    const made = await send("POST", "/parts", '{"id":2,"sum":1,"n":9007199254740997}', {
      ...post,
      "Idempotency-Key": '"k"',
    });
    const again = await send("POST", "/sums", bigPost, { ...post, "Idempotency-Key": '"big"' });
    expect([again.status, again.text.length > 100_000, again.text.includes('"n":9007199254740999')]).toEqual([
      201,
      true,
      true,
    ]);
    const repeat = await send("POST", "/sums", bigPost, { ...post, "Idempotency-Key": '"big"' });
    expect([repeat.status, repeat.text, repeat.field("ETag")]).toEqual([201, again.text, again.field("ETag")]);
    expect([made.status, made.text]).toEqual([201, '{"part":{"url":"/parts/2","id":2,"sum":1,"n":9007199254740997}}']);
  });
});
