import { describe, expect, test } from "vitest";
import { serveLibrary } from "./music-library.ts";

interface Detail {
  readonly detail: string;
}

async function get(target: string, fields: Record<string, string> = {}) {
  const { send } = await serveLibrary();
  return send("GET", target, undefined, fields);
}

describe("select", () => {
  test("leaves the columns that it names, in its order, and a record's own URL", async () => {
    expect((await get("/artists?select=name,id&limit=2")).text).toBe(
      '{"artists":[{"url":"/artists/1","name":"Kraftwerk","id":1},{"url":"/artists/2","name":"Can","id":2}]}',
    );
    expect((await get("/artists/2?select=name")).text).toBe('{"artist":{"url":"/artists/2","name":"Can"}}');
  });

  test("gives columns other names, and shows one twice where it is named twice", async () => {
    expect((await get("/artists/2?select=id,label:name,%22odd,%20name%22:name")).text).toBe(
      '{"artist":{"url":"/artists/2","id":2,"label":"Can","odd, name":"Can"}}',
    );
  });

  test("shows a record's URL under a name that nothing else has", async () => {
    const answer = await get("/artists?select=url:name&id=eq.2");

    expect(answer.text).toBe('{"artists":[{"_url":"/artists/2","url":"Can"}]}');
    expect(answer.field("Items")).toBe('list="/artists", record="/artist", link="/_url"');
  });

  test("says where records' URLs are", async () => {
    expect((await get("/artists?select=name")).field("Items")).toBe('list="/artists", record="/artist", link="/url"');
    expect((await get("/artists?select=*,born:born")).status).toBe(400);
    expect((await get("/artists?select=*,again:born")).field("Items")).toBe(
      'list="/artists", record="/artist", url="/artists/{id}"',
    );
  });

  test("gives records their URLs also where their key may be null, and is not shown", async () => {
    const { send, run } = await serveLibrary();
    await run("CREATE TABLE named (k TEXT PRIMARY KEY, v TEXT); INSERT INTO named VALUES ('a/b', 'x')");

    const [list, record] = [await send("GET", "/named?select=v"), await send("GET", "/named/a%2Fb?select=v")];

    expect(list.text).toBe('{"named":[{"url":"/named/a%2Fb","v":"x"}]}');
    expect([record.status, record.url]).toEqual([200, "/named/a%2Fb?select=v"]);
  });

  test("goes with filters, order, parts, pages and counts, and links keep it", async () => {
    const answer = await get("/artists?select=name&genre=rock&order=born.desc&page=1&per_page=1", {
      Prefer: "count=exact",
    });

    expect(answer.text).toBe('{"artists":[{"url":"/artists/3","name":"Neu!"}],"page":1,"total":2}');
    expect(answer.field("Content-Range")).toBe("items 0-0/2");
    expect(answer.field("Link")).toContain(
      '</artists?genre=rock&order=born.desc%2Cid.asc&page=2&per_page=1&select=name>; rel="next"',
    );
  });

  test("that is everything is the collection itself, followed by its journal", async () => {
    const answer = await get("/artists?select=*");

    expect(answer.view?.url).toBe("/artists");
    expect(answer.field("Item-Order")).toBeDefined();
  });

  test("is followed by asking again, under one canonical URL", async () => {
    const answer = await get("/artists?id=eq.1&select=id,%20name:name");
    const record = await get("/artists/1?select=name");

    expect(answer.url).toBe("/artists?id=1&select=id%2Cname");
    expect(answer.reads).toEqual({ collections: ["/artists"], isComplete: true });
    expect([answer.field("Item-Order"), answer.field("Event-ID")]).toEqual([undefined, undefined]);
    expect([record.url, record.reads?.collections]).toEqual(["/artists/1?select=name", ["/artists"]]);
  });

  test("has an ETag of its own, which holds", async () => {
    const { send } = await serveLibrary();
    const [one, other] = [await send("GET", "/artists?select=name"), await send("GET", "/artists?select=id")];

    const again = await send("GET", "/artists?select=name", undefined, { "If-None-Match": one.field("ETag") ?? "" });

    expect(one.field("ETag")).not.toBe(other.field("ETag"));
    expect(again.status).toBe(304);
    expect((await send("HEAD", "/artists?select=name")).field("ETag")).toBe(one.field("ETag"));
  });

  test("is in CSV and lines, too", async () => {
    expect((await get("/artists?select=label:name,born&id=lt.3", { Accept: "text/csv" })).text).toBe(
      "label,born\r\nKraftwerk,1970\r\nCan,1968\r\n",
    );
    expect((await get("/artists?select=name&id=lt.3", { Accept: "application/x-ndjson" })).text).toBe(
      '{"url":"/artists/1","name":"Kraftwerk"}\n{"url":"/artists/2","name":"Can"}\n',
    );
  });

  test("goes with a list below a record", async () => {
    const answer = await get("/artists/2/albums?select=title");

    expect(answer.text).toBe(
      '{"albums":[{"url":"/albums/3","title":"Tago Mago"},{"url":"/albums/4","title":"Ege Bamyasi"}]}',
    );
    expect(answer.field("Content-Location")).toBe("/albums?artist_id=2&select=title");
  });

  test.each([
    ["/artists?select=nothing", 'There is no column "nothing"; there are id, name, genre, born.'],
    ["/artists?select=", "a name was expected at character 1"],
    ["/artists?select=id,", "a name was expected at character 4"],
    ["/artists?select=id)", "nothing more was expected at character 3"],
    ["/artists?select=id,id", '"select" has "id" more than once'],
    ["/artists?select=id&select=name", "more than once"],
    ["/artists?select=__proto__:id", '"__proto__"'],
    ["/artists?select=id::text", 'casts as "::" are not supported'],
    ["/artists?select=x:id::text", 'casts as "::" are not supported'],
    ["/artists?select=%22name", "was expected"],
    [`/artists?select=${Array.from({ length: 257 }, (_, at) => `a${at}:id`).join(",")}`, "more than 256"],
    ["/artists/1?select=name&order=name", 'The parameter "order" means nothing here.'],
    ["/artists/1?select=name&genre=rock", 'The parameter "genre" means nothing here.'],
    ["/artists/1?select=count()", "of a collection, not of a record"],
    ["/?select=name", 'The parameter "select" means nothing here.'],
  ])("that can't be is 400 and says why: %s", async (target, detail) => {
    const answer = await get(target);

    expect([answer.status, (answer.json as Detail).detail]).toEqual([400, expect.stringContaining(detail)]);
  });
});

describe("What several records come to", () => {
  test("is one record without a URL, or one for each group, in their order", async () => {
    expect((await get("/artists?select=count()")).text).toBe('{"artists":[{"count":4}]}');
    const groups = await get("/artists?select=genre,count()&genre=not.is.null");
    expect(groups.text).toBe('{"artists":[{"genre":"electronic","count":1},{"genre":"rock","count":2}]}');
    expect(groups.field("Items")).toBe('list="/artists", record="/artist", link="/url"');
  });

  test("is counted by the plain name, too, where no column has it", async () => {
    const { send, run } = await serveLibrary();
    await run("CREATE TABLE bins (id INTEGER PRIMARY KEY, count INTEGER); INSERT INTO bins VALUES (1, 7)");

    const counted = await send("GET", "/artists?select=genre,n:count&order=n.desc&limit=1");
    const nested = await send("GET", "/artists?select=name,albums(count,songs(count))&id=eq.1");
    const inner = await send("GET", "/artists?select=name,albums(title,songs(count))&id=eq.3");

    expect((await send("GET", "/artists?select=count")).text).toBe('{"artists":[{"count":4}]}');
    expect(counted.text).toBe('{"artists":[{"genre":"rock","n":2}]}');
    expect((await send("GET", "/artists?select=name,albums(count)&id=eq.1")).json).toEqual({
      artists: [{ url: "/artists/1", name: "Kraftwerk", albums: [{ count: 2 }] }],
    });
    expect([nested.status, nested.text]).toEqual([400, expect.stringContaining("can't stand beside embedded records")]);
    expect(inner.json).toEqual({
      artists: [
        {
          ...{ url: "/artists/3", name: "Neu!" },
          albums: [{ url: "/albums/5", title: "Neu! 75", songs: [{ count: 1 }] }],
        },
      ],
    });
    const written = await send("GET", "/artists?select=name,albums(title,songs(count()))&id=eq.3");
    expect(inner.url).toContain("songs%28count%28%29%29");
    expect(inner.url).toBe(written.url);
    expect((await send("GET", "/bins?select=count")).text).toBe('{"bins":[{"url":"/bins/1","count":7}]}');
  });

  test("of none is one record without groups, and no record with them", async () => {
    expect((await get("/artists?select=count(),born.sum()&id=lt.0")).text).toBe('{"artists":[{"count":0,"sum":null}]}');
    expect((await get("/artists?select=genre,count()&id=lt.0")).text).toBe('{"artists":[]}');
  });

  test("has the columns' types", async () => {
    const answer = await get(
      "/albums?select=total:price.sum(),least:price.min(),last:title.max(),years:year.avg(),priced:price.count(),count()",
    );

    const [row] = (answer.json as { albums: object[] }).albums;
    expect(row).toEqual({ total: 39.75, least: 8, last: "Tago Mago", years: 1974.6, priced: 4, count: 5 });
  });

  test("is exact beyond 2^53", async () => {
    const { send, run } = await serveLibrary();
    await run(
      "CREATE TABLE big (id INTEGER PRIMARY KEY, n BIGINT); INSERT INTO big VALUES (1, 9007199254740993), (2, 2)",
    );

    expect((await send("GET", "/big?select=n.sum(),n.max()")).text).toBe(
      '{"big":[{"sum":"9007199254740995","max":"9007199254740993"}]}',
    );
  });

  test("is sorted by what it has, in parts, and counted by groups", async () => {
    const answer = await get("/artists?select=genre,count()&order=count.desc,genre.nullslast&limit=1", {
      Prefer: "count=exact",
    });

    expect(answer.text).toBe('{"artists":[{"genre":"rock","count":2}]}');
    expect(answer.field("Content-Range")).toBe("items 0-0/3");
    expect(answer.field("Link")).toContain(
      "/artists?limit=1&offset=1&order=count.desc%2Cgenre.asc.nullslast&select=genre%2Ccount%28%29",
    );
  });

  test("is followed by asking again", async () => {
    const answer = await get("/artists?select=genre,count()");

    expect(answer.url).toBe("/artists?select=genre%2Ccount%28%29");
    expect(answer.reads).toEqual({ collections: ["/artists"], isComplete: true });
  });

  test("is in CSV, too", async () => {
    expect((await get("/artists?select=genre,count()&genre=eq.rock", { Accept: "text/csv" })).text).toBe(
      "genre,count\r\nrock,2\r\n",
    );
  });

  test.each([
    ["/artists?select=name.sum()", 'The column "name" has no sum()'],
    ["/artists?select=nothing.sum()", 'There is no column "nothing"'],
    ["/artists?select=sum()", 'There is no column ""'],
    ["/artists?select=genre,count()&order=born", 'Groups are sorted by what "select" has'],
    ["/artists?select=count(),albums(title)", "can't stand beside embedded records"],
    ["/artists?select=count(),count()", '"select" has "count" more than once'],
  ])("that can't be is 400 and says why: %s", async (target, detail) => {
    const answer = await get(target);

    expect([answer.status, (answer.json as Detail).detail]).toEqual([400, expect.stringContaining(detail)]);
  });
});
