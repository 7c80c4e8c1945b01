import { describe, expect, test } from "vitest";
import { serveRules } from "./rules-site.ts";
import { type Answer, here, musicSql, serve } from "./service.ts";

const minimal = { Prefer: "return=minimal" };
const representation = { Prefer: "return=representation" };
const applied = (answer: Answer) => answer.field("Preference-Applied");

describe("Prefer: return=minimal", () => {
  test.each([
    ["POST", "/artists", { name: "Low" }, 201],
    ["PUT", "/artists/9", { name: "Low" }, 201],
    ["PUT", "/artists/1", { name: "Low" }, 204],
    ["PATCH", "/artists/1", { name: "Low" }, 204],
  ] as const)("leaves out the body and nothing else: %s %s", async (method, target, body, status) => {
    const { send } = await serve(musicSql);
    const answer = await send(method, target, body, minimal);
    expect([answer.status, answer.text, applied(answer)]).toEqual([status, "", "return=minimal"]);
    expect(answer.field("Content-Type")).toBeUndefined();
    expect(answer.field("Event-ID")).toBeDefined();
    const url = answer.field("Content-Location") ?? "";
    expect(answer.field("Location")).toBe(status === 201 ? url : undefined);
    const now = await send("GET", url);
    expect(now.json).toMatchObject({ artist: { name: "Low" } });
    expect(answer.field("ETag")).toBe(now.field("ETag"));
  });

  test("is what a DELETE does anyway", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("DELETE", "/artists/3", undefined, minimal);
    expect([answer.status, answer.text, applied(answer)]).toEqual([204, "", "return=minimal"]);
  });

  test("changes no refusal", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("PATCH", "/artists/1", { nothing: 1 }, minimal);
    expect([answer.status, answer.field("Content-Type"), applied(answer)]).toEqual([
      ...[422, "application/problem+json", undefined],
    ]);
  });

  test("is answered so once more with the same Idempotency-Key, whatever the repeat prefers [R-WK-4]", async () => {
    const { send } = await serve(musicSql);
    const once = { "Idempotency-Key": '"k"' };
    const first = await send("POST", "/artists", { name: "Low" }, { ...once, ...minimal });
    const again = await send("POST", "/artists", { name: "Low" }, { ...once, ...representation });
    expect([again.status, again.fields, again.text]).toEqual([first.status, first.fields, ""]);
  });
});

describe("Prefer: return=representation", () => {
  test.each([
    ["POST", "/artists", 201],
    ["PUT", "/artists/1", 200],
    ["PATCH", "/artists/1", 200],
  ] as const)("is what a %s does anyway, and is said", async (method, target, status) => {
    const { send } = await serve(musicSql);
    const answer = await send(method, target, { name: "Low" }, representation);
    expect([answer.status, applied(answer)]).toEqual([status, "return=representation"]);
    expect(answer.json).toMatchObject({ artist: { name: "Low" } });
    const plain = await send("PATCH", "/artists/2", { name: "Can" }, { Prefer: "return=nothing" });
    expect([plain.status, applied(plain)]).toEqual([200, undefined]);
  });

  test("has a DELETE show the record as it was", async () => {
    const { send } = await serve(musicSql);
    const { text } = await send("GET", "/artists/3");
    const answer = await send("DELETE", "/artists/3", undefined, representation);
    expect([answer.status, answer.text, applied(answer)]).toEqual([200, text, "return=representation"]);
    expect(answer.field("Content-Type")).toBe("application/json");
    expect(answer.field("Event-ID")).toBeDefined();
    expect([answer.field("ETag"), answer.field("Content-Location")]).toEqual([undefined, undefined]);
    expect((await send("GET", "/artists/3")).status).toBe(404);
  });

  test("of a DELETE is 406 where JSON is not taken, and deletes nothing", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("DELETE", "/artists/3", undefined, { ...representation, Accept: "text/csv" });
    expect([answer.status, (await send("GET", "/artists/3")).status]).toEqual([406, 200]);
    expect((await send("DELETE", "/artists/3", undefined, { Accept: "text/csv" })).status).toBe(204);
  });

  test("of a DELETE with an Idempotency-Key is shown again, but for a large record [R-WK-4]", async () => {
    const { send } = await serve(musicSql);
    await send("PATCH", "/artists/4", { genre: "x".repeat(17 * 1024) });
    for (const [id, status] of [
      [3, 200],
      [4, 204],
    ]) {
      const fields = { ...representation, "Idempotency-Key": `"${id}"` };
      const first = await send("DELETE", `/artists/${id}`, undefined, fields);
      const again = await send("DELETE", `/artists/${id}`, undefined, fields);
      expect([first.status, again.status, again.text]).toEqual([200, status, status === 200 ? first.text : ""]);
      expect(applied(again)).toBe(status === 200 ? "return=representation" : undefined);
      expect(again.field("Event-ID")).toBe(first.field("Event-ID"));
    }
  });
});

describe("What a POST has made that has no URL", () => {
  const sql = {
    sqlite: `CREATE TABLE lines (id INTEGER PRIMARY KEY, word TEXT, n INTEGER DEFAULT 7);
      CREATE VIEW loose AS SELECT word, n FROM lines;
      CREATE TRIGGER loose_insert INSTEAD OF INSERT ON loose BEGIN INSERT INTO lines (word) VALUES (new.word); END`,
    postgres: `CREATE TABLE loose (word text NOT NULL, n integer DEFAULT 7, up text GENERATED ALWAYS AS (upper(word)) STORED);
      CREATE TABLE words (word text PRIMARY KEY)`,
  };
  const isShown = here({ sqlite: false, postgres: true });

  test("is shown where the database tells it, to who asks for it", async () => {
    const { send, rows } = await serve(sql);

    const one = await send("POST", "/loose", { word: "a" }, representation);
    const list = await send("POST", "/loose?select=n,what:word", [{ word: "b" }, { word: "c" }], representation);
    const plain = await send("POST", "/loose", { word: "d" });

    expect([one.status, list.status, plain.status, plain.text]).toEqual([201, 201, 201, ""]);
    expect([one.text, list.text]).toEqual(
      isShown
        ? ['{"loose":{"word":"a","n":7,"up":"A"}}', '{"loose":[{"n":7,"what":"b"},{"n":7,"what":"c"}]}']
        : ["", ""],
    );
    expect([applied(one), one.field("Location")]).toEqual([isShown ? "return=representation" : undefined, undefined]);
    expect((await rows("SELECT count(*) FROM loose")).flat().map(Number)).toEqual([4]);
  });

  test("is shown by itself, and not where the rules say who may read it", async () => {
    const single = { ...representation, Accept: "application/vnd.pgrst.object+json" };
    const { send } = await serve(sql);
    const rules = { loose: { read: "word=eq.$sub", create: true } } as const;
    const site = await serveRules(sql, rules);

    const own = await send("POST", "/loose?select=word", [{ word: "a" }], single);
    const ruled = await site.as({ sub: "ann" }, "POST", "/loose", { word: "ann" }, representation);

    expect([own.status, own.text]).toEqual([201, isShown ? '{"word":"a"}' : ""]);
    expect([ruled.status, ruled.text, applied(ruled)]).toEqual([201, "", undefined]);
    expect(await site.rows("SELECT word FROM loose")).toEqual([["ann"]]);
  });

  test("is refused with what is wrong with it", async () => {
    const { send, rows } = await serve(sql);

    const answer = await send("POST", "/loose", { nothing: "a" }, representation);

    expect([answer.status, (await rows("SELECT count(*) FROM loose")).flat().map(Number)]).toEqual([422, [0]]);
  });
});
