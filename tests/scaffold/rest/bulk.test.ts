import { describe, expect, onTestFinished, test } from "vitest";
import type { Batch } from "../../../src/server/index.ts";
import { type Answer, musicSql, serve } from "./service.ts";

const names = (answer: Answer) => (answer.json as { artists: { name: string }[] }).artists.map(({ name }) => name);
const detail = (answer: Answer) => (answer.json as { detail: string }).detail;
const applied = (answer: Answer) => answer.field("Preference-Applied");

describe("PATCH of a collection", () => {
  test("changes what its filter lets through, and shows it as it is then", async () => {
    const { send, rows } = await serve(musicSql);
    const answer = await send("PATCH", "/artists?genre=eq.rock&order=name.desc", { genre: "kraut", year: null });
    expect([answer.status, names(answer)]).toEqual([200, ["Neu!", "Faust", "Can"]]);
    expect(answer.json).toMatchObject({ artists: [{ url: "/artists/3", genre: "kraut", year: null }, {}, {}] });
    expect(answer.field("Items")).toBe((await send("GET", "/artists")).field("Items"));
    expect(await rows("SELECT name FROM artists WHERE genre <> 'kraut'")).toEqual([["Kraftwerk"]]);
  });

  test("takes the whole filter language, order and limit", async () => {
    const { send } = await serve(musicSql);
    const target = "/artists?or=(year.lt.1970,name.like.Kr*)&not.and=(id.eq.4,id.eq.5)&order=year.desc&limit=1";
    expect(names(await send("PATCH", target, { active: false }))).toEqual(["Kraftwerk"]);
    expect(names(await send("GET", "/artists?active=is.false"))).toEqual(["Kraftwerk"]);
  });

  test("of nothing is an empty list", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("PATCH", "/artists?genre=eq.none", { year: 1999 });
    expect([answer.status, answer.json]).toEqual([200, { artists: [] }]);
  });

  test("is told record by record, in one batch", async () => {
    const { send, scaffold } = await serve(musicSql);
    const batches: Batch[] = [];
    const heard = new Promise<void>((resolve) => {
      const stop = scaffold.journal?.tail((batch) => {
        batches.push(batch);
        if (batch.changes.length > 0) resolve();
      });
      onTestFinished(() => stop?.());
    });
    const answer = await send("PATCH", "/artists?genre=eq.rock", { active: false });
    await heard;
    const batch = batches.find(({ changes }) => changes.length > 0);
    expect(batch?.changes.map(({ url }) => url)).toEqual(["/artists/2", "/artists/3", "/artists/4"]);
    expect(answer.field("Event-ID")).toBe(batch?.eventId);
  });

  test("is all or nothing, and says which record is at fault", async () => {
    const { send, rows } = await serve(musicSql);
    const answer = await send("PATCH", "/artists?genre=eq.rock&order=id", { year: 1999, name: "Same" });
    expect([answer.status, answer.json]).toMatchObject([409, { errors: [{ field: "name" }] }]);
    expect(detail(answer)).toBe("The record /artists/3: There is a record with this value already.");
    expect(await rows("SELECT name FROM artists WHERE year = 1999")).toEqual([]);
    expect((await send("PATCH", "/artists?genre=eq.rock", { id: 7 })).status).toBe(422);
  });

  test("with Prefer: return=minimal or headers-only, and count=exact, tells how many", async () => {
    const { send } = await serve(musicSql);
    const target = "/artists?genre=eq.rock";
    const minimal = await send("PATCH", target, { year: 1999 }, { Prefer: "return=minimal, count=exact" });
    expect([minimal.status, minimal.text, minimal.field("Content-Range"), applied(minimal)]).toEqual([
      ...[204, "", "items */3", "count=exact, return=minimal"],
    ]);
    const planned = await send("PATCH", target, { year: 1998 }, { Prefer: "return=minimal, count=planned" });
    expect([planned.field("Content-Range"), applied(planned)]).toEqual(["items */3", "count=exact, return=minimal"]);
    const bare = await send("PATCH", target, { year: 2000 }, { Prefer: "return=headers-only" });
    expect([bare.status, bare.text, applied(bare)]).toEqual([204, "", "return=headers-only"]);
    const shown = await send("PATCH", target, { year: 2001 }, { Prefer: "count=exact,return=representation" });
    expect([shown.status, names(shown).length, shown.field("Content-Range")]).toEqual([200, 3, "items */3"]);
  });
});

describe("DELETE of a collection", () => {
  test("takes away what its filter lets through", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("DELETE", "/artists?id=gt.2");
    expect([answer.status, answer.text]).toEqual([204, ""]);
    expect(names(await send("GET", "/artists"))).toEqual(["Kraftwerk", "Can"]);
  });

  test("with Prefer: return=representation shows what is gone, in order", async () => {
    const { send } = await serve(musicSql);
    const fields = { Prefer: "return=representation, count=exact" };
    const answer = await send("DELETE", "/artists?id=gt.2&order=id.desc", undefined, fields);
    expect([answer.status, names(answer), answer.field("Content-Range")]).toEqual([
      200,
      ["Faust", "Neu!"],
      "items */2",
    ]);
  });

  test("is all or nothing, and says which record is at fault", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("DELETE", "/artists?id=in.(1,3)&order=id.desc");
    expect([answer.status, detail(answer)]).toEqual([409, expect.stringMatching(/^The record \/artists\/1: /)]);
    expect((await send("GET", "/artists/3")).status).toBe(200);
  });
});

describe("A write to several records", () => {
  test.each([
    ["PATCH", "/artists", "needs a filter that says which. id=is.not_null would be all of them."],
    ["DELETE", "/artists?limit=1", "needs a filter"],
    ["DELETE", "/artists?id=gt.2&offset=1", "takes order and limit, and no offset, after, page or per_page"],
    ["PATCH", "/artists?id=gt.2&page=1", "takes order and limit, and no offset, after, page or per_page"],
    ["DELETE", "/artists?nothing=1", 'There is no column "nothing"'],
  ])("that does not say which is 400: %s %s", async (method, target, text) => {
    const { send } = await serve(musicSql);
    const answer = await send(method, target, method === "PATCH" ? { year: 1999 } : undefined);
    expect([answer.status, detail(answer)]).toEqual([400, expect.stringContaining(text)]);
    expect(names(await send("GET", "/artists?id=is.not_null"))).toHaveLength(4);
  });

  test("of all of them is one by a filter that all pass", async () => {
    const { send } = await serve(
      "CREATE TABLE t (id int NOT NULL PRIMARY KEY, n int); INSERT INTO t VALUES (1, 1), (2, 2)",
    );
    expect((await send("PATCH", "/t?id=is.not_null", { n: 5 })).json).toMatchObject({ t: [{ n: 5 }, { n: 5 }] });
    expect((await send("DELETE", "/t?id=is.not_null")).status).toBe(204);
    expect((await send("GET", "/t")).json).toEqual({ t: [] });
  });

  test.each(["PATCH", "DELETE"])("of more than maxRows is 422, and writes nothing: %s", async (method) => {
    const { send } = await serve(musicSql, { maxRows: 2 });
    const body = method === "PATCH" ? { year: 1999 } : undefined;
    const answer = await send(method, "/artists?genre=eq.rock", body);
    expect([answer.status, detail(answer)]).toEqual([
      ...[422, expect.stringContaining("That is about 3 records, and at most 2 may be written at once.")],
    ]);
    expect((await send("GET", "/artists?year=eq.1999")).json).toEqual({ artists: [] });
    expect((await send(method, "/artists?genre=eq.rock&name=neq.Can&order=id&limit=1", body)).status).toBeLessThan(300);
    expect((await send(method, "/artists?name=eq.Faust&limit=9", body)).status).toBeLessThan(300);
  });

  test("of more than Prefer: max-affected says is 422, where handling is strict", async () => {
    const { send } = await serve(musicSql);
    const strict = { Prefer: "handling=strict, max-affected=2" };
    const answer = await send("PATCH", "/artists?genre=eq.rock", { year: 1999 }, strict);
    expect([answer.status, detail(answer)]).toEqual([422, expect.stringContaining("at most 2 may be written")]);
    const fits = await send("PATCH", "/artists?id=gt.2", { year: 1999 }, strict);
    expect([fits.status, applied(fits)]).toEqual([200, "handling=strict, max-affected=2"]);
    const lenient = await send("PATCH", "/artists?genre=eq.rock", { year: 1998 }, { Prefer: "max-affected=2" });
    expect([lenient.status, applied(lenient)]).toEqual([200, undefined]);
  });

  test("of records that are too big together is 422, and writes nothing", async () => {
    const { send, rows } = await serve(musicSql, { maxPageBytes: 1024 });
    await send("PATCH", "/artists/3", { genre: "x".repeat(2000) });
    const answer = await send("DELETE", "/artists?id=gt.2");
    expect([answer.status, detail(answer)]).toEqual([422, expect.stringContaining("more than 1024 bytes")]);
    expect(await rows("SELECT id FROM artists")).toHaveLength(4);
    expect((await send("DELETE", "/artists?id=gt.2&limit=1")).status).toBe(204);
  });

  test("that makes records too big for an answer is 422, and writes nothing", async () => {
    const { send } = await serve(musicSql, { maxPageBytes: 1024 });
    const body = { genre: "x".repeat(800) };
    const answer = await send("PATCH", "/artists?id=gt.2", body);
    expect([answer.status, detail(answer)]).toEqual([422, expect.stringContaining("more than 1024 bytes in all")]);
    expect((await send("GET", "/artists/3")).json).toMatchObject({ artist: { genre: "rock" } });
    expect((await send("PATCH", "/artists?id=gt.2", body, { Prefer: "return=minimal" })).status).toBe(204);
  });

  test("is guarded by what a GET of the same URL gives", async () => {
    const { send } = await serve(musicSql);
    const target = "/artists?id=gt.2";
    const etag = (await send("GET", target)).field("ETag") ?? "";
    await send("PATCH", "/artists/1", { year: 1 + 1970 });
    expect((await send("PATCH", target, { year: 1999 }, { "If-Match": etag })).status).toBe(200);
    expect((await send("DELETE", target, undefined, { "If-Match": etag })).status).toBe(412);
    expect((await send("DELETE", target, undefined, { "If-Match": "*" })).status).toBe(204);
  });

  test("prefers nothing that it does not know, where handling is strict", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("DELETE", "/artists?id=eq.3", undefined, { Prefer: "handling=strict, tx=rollback" });
    expect([answer.status, detail(answer)]).toEqual([400, expect.stringContaining("tx=rollback")]);
    expect((await send("GET", "/artists/3")).status).toBe(200);
  });
});
