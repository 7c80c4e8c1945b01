import { describe, expect, test } from "vitest";
import { serveLibrary } from "./music-library.ts";

const type = "application/vnd.pgrst.array+json";
const bare = { Accept: type };
const shown = { ...bare, Prefer: "return=representation" };

describe(`A GET that accepts ${type}`, () => {
  test("has a list with nothing around it", async () => {
    const { send } = await serveLibrary();

    const listed = await send("GET", "/artists?genre=eq.rock&select=name&order=name", undefined, bare);
    const none = await send("GET", "/artists?id=eq.99", undefined, bare);
    const paged = await send("GET", "/artists?page=1&per_page=1&select=id", undefined, bare);
    const below = await send("GET", "/artists/1/albums?select=title", undefined, bare);
    const through = await send("GET", "/albums/1/tags", undefined, bare);
    const record = await send("GET", "/artists/2?select=name", undefined, bare);
    const named = await send("GET", "/albums/1/artist?select=name", undefined, bare);

    expect([listed.status, listed.field("Content-Type"), listed.text]).toEqual([
      ...[200, type, '[{"url":"/artists/2","name":"Can"},{"url":"/artists/3","name":"Neu!"}]'],
    ]);
    expect([none.status, none.text]).toEqual([200, "[]"]);
    expect(paged.text).toBe('[{"url":"/artists/1","id":1}]');
    expect(paged.field("Link")).toContain('rel="next"');
    expect(below.text).toBe('[{"url":"/albums/1","title":"Autobahn"},{"url":"/albums/2","title":"Computerwelt"}]');
    expect(through.text).toBe('[{"url":"/tags/1","id":1,"word":"long"}]');
    expect([record.text, named.text]).toEqual([
      '[{"url":"/artists/2","name":"Can"}]',
      '[{"url":"/artists/1","name":"Kraftwerk"}]',
    ]);
    for (const answer of [listed, paged, record]) {
      expect([answer.field("Items"), answer.field("Item-Order")]).toEqual([undefined, undefined]);
    }
  });

  test("has an ETag of its own, which holds, and can't be followed", async () => {
    const { send } = await serveLibrary();
    const counted = { ...bare, Prefer: "count=exact" };

    for (const target of ["/artists?genre=eq.rock", "/artists?limit=2", "/artists", "/artists/2"]) {
      const answer = await send("GET", target, undefined, bare);
      const etag = answer.field("ETag") ?? "";
      const head = await send("HEAD", target, undefined, bare);
      const again = await send("GET", target, undefined, { ...bare, "If-None-Match": etag });

      expect([head.field("ETag"), head.text, again.status]).toEqual([etag, "", 304]);
      expect(etag).not.toBe((await send("GET", target)).field("ETag"));
      expect(answer.field("Vary")).toMatch(/^Accept/);
      expect([answer.view, answer.url, answer.notLive]).toEqual([
        ...[undefined, undefined, expect.stringContaining("as application/json only")],
      ]);
    }
    const part = await send("GET", "/artists?limit=2", undefined, counted);
    expect(part.field("Content-Range")).toBe("items 0-1/4");
  });
});

describe(`A write that accepts ${type}`, () => {
  test("is answered with a list, also of one", async () => {
    const { send } = await serveLibrary();

    const made = await send("POST", "/artists?select=id,name", { id: 9, name: "Low" }, shown);
    const listed = await send(
      "POST",
      "/artists?select=id",
      [
        { id: 10, name: "Air" },
        { id: 11, name: "Eno" },
      ],
      shown,
    );
    const changed = await send("PATCH", "/artists?id=in.(9,10)&select=name", { name: "x" }, shown);
    const one = await send("PATCH", "/artists/9?select=born", { born: 1993 }, shown);
    const empty = await send("PATCH", "/artists?id=eq.99", { name: "x" }, shown);
    const gone = await send("DELETE", "/artists?id=eq.9&select=id", undefined, shown);

    expect([made.status, made.field("Content-Type"), made.text]).toEqual([
      ...[201, type, '[{"url":"/artists/9","id":9,"name":"Low"}]'],
    ]);
    expect([listed.status, listed.text]).toEqual([
      201,
      '[{"url":"/artists/10","id":10},{"url":"/artists/11","id":11}]',
    ]);
    expect(changed.text).toBe('[{"url":"/artists/9","name":"x"},{"url":"/artists/10","name":"x"}]');
    expect(one.text).toBe('[{"url":"/artists/9","born":1993}]');
    expect([empty.status, empty.text]).toEqual([200, "[]"]);
    expect(gone.text).toBe('[{"url":"/artists/9","id":9}]');
    expect([made.field("Items"), listed.field("Items")]).toEqual([undefined, undefined]);
  });

  test("goes by the ETag of a GET with the same Accept, and is repeated as it was", async () => {
    const { send } = await serveLibrary({ maxRows: 2 });
    const target = "/artists?genre=eq.rock";
    const etagOf = async (fields: Readonly<Record<string, string>>, url = target) =>
      (await send("GET", url, undefined, fields)).field("ETag") ?? "";
    const once = { ...shown, "Idempotency-Key": '"k"' };

    const [own, plain] = [await etagOf(bare), await etagOf({})];
    const other = await send("PATCH", target, { born: 1 }, { ...shown, "If-Match": plain });
    const same = await send("PATCH", target, { born: 1 }, { ...shown, "If-Match": own });
    const all = await etagOf(bare, "/artists");
    const first = await send("POST", "/artists", { id: 20, name: "Low" }, { ...once, "If-Match": all });
    const repeated = await send("POST", "/artists", { id: 20, name: "Low" }, { ...once, "If-Match": all });

    expect([other.status, same.status, first.status, repeated.status]).toEqual([412, 200, 201, 201]);
    expect([repeated.text, repeated.field("ETag")]).toEqual([first.text, first.field("ETag")]);
    expect((await etagOf(bare, "/artists/20")) === first.field("ETag")).toBe(true);
  });
});

interface Words {
  readonly code: string;
  readonly message: string;
  readonly detail: string;
  readonly details: string | null;
  readonly hint: string | null;
}

describe("A problem for PostgREST's clients", () => {
  const notSeen = "There is no record with this value.";

  test.each([
    ["GET", "/artists?nope=eq.1", undefined, 400, "PGRST100", null],
    ["GET", "/nothing", undefined, 404, "PGRST404", null],
    ["POST", "/artists", { id: 1, name: "x" }, 409, "23505", "id: Another record has this value."],
    ["POST", "/albums", { artist_id: 99, title: "x" }, 409, "23503", `artist_id: ${notSeen}`],
    ["POST", "/artists", { name: null }, 422, "23502", "name: This must not be null."],
    [
      "POST",
      "/artists",
      [
        { id: 50, name: "a" },
        { id: 1, name: "b" },
      ],
      409,
      "23505",
      "id: Another record has this value.",
    ],
  ] as const)("has code, message, details and hint: %s %s %j", async (method, target, body, status, code, details) => {
    const { send } = await serveLibrary();

    const answer = await send(method, target, body, shown);
    const usual = await send(method, target, body, { Prefer: "return=representation" });
    const words = answer.json as Words;

    expect([answer.status, answer.field("Content-Type"), words.code, words.hint]).toEqual([
      ...[status, "application/problem+json", code, null],
    ]);
    expect(words.details).toBe(details);
    expect(words.message).toBe(words.detail);
    expect(words.message.length).toBeGreaterThan(10);
    expect(usual.status).toBe(status);
    expect(answer.json).toEqual({ ...(usual.json as object), code, message: words.detail, details, hint: null });
  });

  test("says what a check and a trigger refuse", async () => {
    const { send, run } = await serveLibrary();
    await run({
      sqlite: `CREATE TABLE bins (id INTEGER PRIMARY KEY, size INTEGER CHECK (size > 0));
        CREATE TRIGGER full BEFORE INSERT ON bins WHEN new.size = 7 BEGIN SELECT RAISE(ABORT, 'seven is full'); END`,
      postgres: `CREATE TABLE bins (id bigint PRIMARY KEY, size integer CHECK (size > 0));
        CREATE FUNCTION full_bin() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN IF new.size = 7 THEN RAISE EXCEPTION 'seven is full'; END IF; RETURN new; END$$;
        CREATE TRIGGER full_bins BEFORE INSERT ON bins FOR EACH ROW EXECUTE FUNCTION full_bin()`,
    });

    const checked = await send("POST", "/bins", { id: 1, size: 0 }, bare);
    const raised = await send("POST", "/bins", { id: 1, size: 7 }, bare);
    const plan = 'application/vnd.pgrst.plan+text; for="application/json"; options=;';

    expect([checked.status, checked.json]).toMatchObject([422, { code: "23514" }]);
    expect([raised.status, raised.json]).toMatchObject([422, { code: "P0001", message: "seven is full" }]);
    expect(await send("GET", "/artists", undefined, { Accept: plan })).toMatchObject({
      ...{ status: 406, json: { code: "PGRST406", message: expect.stringContaining("Accept takes none of them") } },
    });
  });
});
