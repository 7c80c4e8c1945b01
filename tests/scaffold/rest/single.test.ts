import { describe, expect, test } from "vitest";
import { serveLibrary } from "./music-library.ts";

const type = "application/vnd.pgrst.object+json";
const single = { Accept: type };
const shown = { ...single, Prefer: "return=representation" };
const none = { code: "PGRST116", details: "The result contains 0 rows", hint: null, status: 406 };
const several = { ...none, details: "The result contains more than 1 row" };
const sentence = `${type} is for exactly one record, and there is`;

describe(`A GET that accepts ${type}`, () => {
  test("has exactly one record, with nothing around it", async () => {
    const { send } = await serveLibrary();

    const listed = await send(
      "GET",
      "/artists?name=eq.Can&select=name,albums(title)&albums.limit=1",
      undefined,
      single,
    );
    const whole = await send("GET", "/artists?order=id&limit=1", undefined, single);
    const record = await send("GET", "/artists/2?select=id,name", undefined, single);
    const counted = await send("GET", "/artists?select=count()", undefined, single);

    expect([listed.status, listed.field("Content-Type"), listed.text]).toEqual([
      ...[200, type, '{"url":"/artists/2","name":"Can","albums":[{"url":"/albums/3","title":"Tago Mago"}]}'],
    ]);
    expect(whole.json).toEqual({ url: "/artists/1", id: 1, name: "Kraftwerk", genre: "electronic", born: 1970 });
    expect([record.status, record.text]).toEqual([200, '{"url":"/artists/2","id":2,"name":"Can"}']);
    expect(counted.text).toBe('{"count":4}');
    expect([whole.field("Items"), whole.field("Link"), record.field("Items")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("is 406 for none and for several, in PostgREST's words, too", async () => {
    const { send } = await serveLibrary();

    for (const method of ["GET", "HEAD"]) {
      const [empty, more] = [
        await send(method, "/artists?id=eq.99", undefined, single),
        await send(method, "/artists?genre=eq.rock", undefined, single),
      ];
      expect([empty.status, empty.json]).toMatchObject([406, { ...none, detail: `${sentence} none.` }]);
      expect([more.status, more.json]).toMatchObject([406, { ...several, detail: `${sentence} more than one.` }]);
      expect(more.field("Content-Type")).toBe("application/problem+json");
    }
    expect((await send("GET", "/artists/99", undefined, single)).status).toBe(404);
  });

  test("says how many there are, has an ETag that holds, and can't be followed", async () => {
    const { send } = await serveLibrary();
    const target = "/artists?genre=eq.rock&order=id&limit=1";

    const answer = await send("GET", target, undefined, { ...single, Prefer: "count=exact" });
    const plain = await send("GET", target, undefined, single);
    const record = await send("GET", "/artists/2", undefined, single);
    const again = (one: typeof record, url: string) =>
      send("GET", url, undefined, { ...single, "If-None-Match": one.field("ETag") ?? "" });

    expect(answer.field("Content-Range")).toBe("items 0-0/2");
    expect([(await again(plain, target)).status, (await again(record, "/artists/2")).status]).toEqual([304, 304]);
    expect(record.field("ETag")).not.toBe((await send("GET", "/artists/2")).field("ETag"));
    expect([plain.field("Vary"), record.field("Vary")]).toEqual(["Accept, Prefer", "Accept"]);
    expect([plain.view, record.view, plain.notLive, record.notLive]).toMatchObject([
      ...[undefined, undefined, expect.stringContaining("application/json only"), expect.any(String)],
    ]);
  });
});

describe(`A write that accepts ${type}`, () => {
  test("is answered with the record, of a list of one, too", async () => {
    const { send } = await serveLibrary();

    const made = await send("POST", "/artists?select=id,name", { id: 9, name: "Low" }, shown);
    const listed = await send("POST", "/artists?select=id,name", [{ id: 10, name: "Air" }], shown);
    const changed = await send("PATCH", "/artists?id=eq.9&select=name,albums(id)", { name: "LOW" }, shown);
    const one = await send("PATCH", "/artists/9", { born: 1993 }, shown);
    const put = await send("PUT", "/artists/9?select=born,name", { name: "low" }, shown);
    const gone = await send("DELETE", "/artists?id=eq.9&select=name", undefined, shown);
    const last = await send("DELETE", "/artists/10?select=name", undefined, shown);

    expect([made.status, made.text, made.field("Content-Type")]).toEqual([
      ...[201, '{"url":"/artists/9","id":9,"name":"Low"}', type],
    ]);
    expect([listed.status, listed.text]).toEqual([201, '{"url":"/artists/10","id":10,"name":"Air"}']);
    expect([changed.status, changed.text]).toEqual([200, '{"url":"/artists/9","name":"LOW","albums":[]}']);
    expect(one.json).toEqual({ url: "/artists/9", id: 9, name: "LOW", genre: null, born: 1993 });
    expect(put.text).toBe('{"url":"/artists/9","born":null,"name":"low"}');
    expect([gone.status, gone.text]).toEqual([200, '{"url":"/artists/9","name":"low"}']);
    expect([last.status, last.text]).toEqual([200, '{"url":"/artists/10","name":"Air"}']);
  });

  test.each(["return=representation", "return=minimal"])(
    "writes nothing where it is not one record: %s",
    async (prefer) => {
      const { send, rows } = await serveLibrary();
      const fields = { ...single, Prefer: prefer };
      const before = await rows("SELECT * FROM artists ORDER BY id");

      const answers = [
        await send("PATCH", "/artists?genre=eq.rock", { name: "x" }, fields),
        await send("PATCH", "/artists?id=eq.99", { name: "x" }, fields),
        await send("DELETE", "/artists?born=is.null&or=(id.eq.4,id.eq.5)&limit=2", undefined, fields),
        await send("DELETE", "/artists?id=gt.1", undefined, fields),
        await send("POST", "/artists", [{ name: "a" }, { name: "b" }], fields),
        await send("POST", "/artists", [], fields),
      ];

      expect(answers.map(({ status }) => status)).toEqual([
        406,
        406,
        prefer === "return=minimal" ? 204 : 200,
        406,
        406,
        406,
      ]);
      expect([answers[0]?.json, answers[1]?.json, answers[5]?.json]).toMatchObject([several, none, none]);
      expect(await rows("SELECT * FROM artists ORDER BY id")).toEqual(before.filter(([id]) => Number(id) !== 4));
    },
  );

  test("is not carried out where what it wrote can't be shown", async () => {
    const { send, rows } = await serveLibrary();

    const list = await send("PATCH", "/albums?id=eq.5&select=id,labels!inner(name)", { year: 1 }, shown);
    const record = await send("PATCH", "/albums/5?select=id,labels!inner(name)", { year: 1 }, shown);

    const gone = await send(
      "DELETE",
      "/albums_tags/3,2?select=tag_id,albums!inner(id)&albums.id=lt.0",
      undefined,
      shown,
    );

    expect([list.status, list.json, record.status, gone.status]).toMatchObject([406, none, 406, 406]);
    expect((await send("GET", "/albums_tags/3,2")).status).toBe(200);
    expect((await rows("SELECT count(*) FROM albums WHERE year = 1")).flat().map(Number)).toEqual([0]);
  });

  test("has conditions that compare what a GET of the same form has, and is repeated in it", async () => {
    const { send } = await serveLibrary();
    const etag = (await send("GET", "/artists/2", undefined, single)).field("ETag") ?? "";
    const listEtag = (await send("GET", "/artists?id=eq.3", undefined, single)).field("ETag") ?? "";
    const once = { ...single, "Idempotency-Key": '"k"' };
    const long = { name: "x".repeat(20_000) };

    const same = await send("PATCH", "/artists/2", { born: 1 }, { ...single, "If-Match": etag });
    const list = await send("PATCH", "/artists?id=eq.3", { born: 1 }, { ...single, "If-Match": listEtag });
    const first = await send("PATCH", "/artists/1", long, once);
    const again = await send("PATCH", "/artists/1", long, once);

    expect([same.status, list.status, again.status, again.text]).toEqual([200, 200, 200, first.text]);
    expect(first.text).toMatch(/^\{"url"/);
  });

  test("may stand in a batch, which it ends", async () => {
    const { send } = await serveLibrary();
    const batch = (url: string) =>
      send("POST", "/.well-known/rocket/batch", [
        { method: "PATCH", url, fields: { Accept: type }, body: { born: 1 } },
      ]);

    const [one, more] = [await batch("/artists?id=eq.1&select=born"), await batch("/artists?id=gt.1&select=born")];

    expect(one.json).toMatchObject([{ status: 200, body: { url: "/artists/1", born: 1 } }]);
    expect([more.status, more.json]).toMatchObject([406, { ...several, request: 0 }]);
  });
});

describe("What Accept says of PostgREST's forms of JSON", () => {
  test.each([
    ["application/vnd.pgrst.array+json", "application/vnd.pgrst.array+json"],
    ["application/json;q=0.1, application/vnd.pgrst.array+json", "application/vnd.pgrst.array+json"],
    ["application/json, application/vnd.pgrst.array+json", "application/json"],
    [`application/vnd.pgrst.array+json;q=0.5, ${type}`, type],
    [`${type};q=0.5, application/json`, "application/json"],
    [`${type}, application/json`, "application/json"],
    [`${type}, application/json;q=0.9`, type],
    [`${type}, */*;q=0.1`, type],
    ["application/*", "application/json"],
  ])("is weighed: %s", async (Accept, expected) => {
    const { send } = await serveLibrary();

    for (const target of ["/artists/1", "/artists?id=eq.1"]) {
      expect((await send("GET", target, undefined, { Accept })).field("Content-Type")).toBe(expected);
    }
    const made = await send("POST", "/artists", { name: "x" }, { Accept });
    expect([made.status, made.field("Content-Type")]).toEqual([201, expected]);
  });

  test.each(["application/vnd.pgrst.array+json;nulls=stripped", `${type};nulls=stripped`, `${type};q=0`])(
    "is 406 where that is not there: %s",
    async (Accept) => {
      const { send } = await serveLibrary();

      for (const target of ["/artists/1", "/artists?id=eq.1"]) {
        expect((await send("GET", target, undefined, { Accept })).status).toBe(406);
      }
      expect((await send("POST", "/artists", { name: "x" }, { Accept })).status).toBe(406);
    },
  );
});

describe("A schema that a client of PostgREST names", () => {
  test("is the one of names without a schema, or the request is refused and nothing is written", async () => {
    const { send } = await serveLibrary();
    const before = (await send("GET", "/artists")).text;

    const same = await send("GET", "/artists", undefined, { "Accept-Profile": "public" });
    const other = await send("GET", "/artists", undefined, { "Accept-Profile": "private" });
    const written = await send("POST", "/artists", { name: "New" }, { "Content-Profile": "private" });
    const unheard = await send("GET", "/artists", undefined, { "Content-Profile": "private" });

    expect([same.status, same.text]).toEqual([200, before]);
    expect([other.status, other.text]).toEqual([406, expect.stringContaining("/private.table")]);
    expect([written.status, unheard.status]).toEqual([406, 200]);
    expect((await send("GET", "/artists")).text).toBe(before);
  });
});
