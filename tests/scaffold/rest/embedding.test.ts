import { describe, expect, test } from "vitest";
import { serveLibrary } from "./music-library.ts";
import { serve } from "./service.ts";

interface Detail {
  readonly detail: string;
}

async function get(target: string, fields: Record<string, string> = {}) {
  const { send } = await serveLibrary();
  return send("GET", target, undefined, fields);
}

/** The records of a list, without their URLs. */
async function list(target: string): Promise<unknown> {
  const answer = await get(target);
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
  const [records] = Object.values(answer.json as object);
  return JSON.parse(JSON.stringify(records), (name, value: unknown) => (name === "url" ? undefined : value));
}

describe("Embedded records", () => {
  test("are a list where they name the record, and one or null where it names them", async () => {
    expect(await list("/artists?select=name,albums(title,songs(title))&id=gt.2")).toEqual([
      { name: "Neu!", albums: [{ title: "Neu! 75", songs: [{ title: "Hero" }] }] },
      { name: "Nobody", albums: [] },
    ]);
    expect(await list("/albums?select=title,label:labels(name)&id=gt.3")).toEqual([
      { title: "Ege Bamyasi", label: { name: "Spoon" } },
      { title: "Neu! 75", label: null },
    ]);
  });

  test("have URLs of their own", async () => {
    expect((await get("/albums/5?select=title,artists(name),songs(title)")).text).toBe(
      '{"album":{"url":"/albums/5","title":"Neu! 75","artists":{"url":"/artists/3","name":"Neu!"},"songs":[{"url":"/songs/6","title":"Hero"}]}}',
    );
  });

  test("come through a third table, both ways", async () => {
    expect(await list("/albums?select=title,tags(word)&id=in.(2,3)")).toEqual([
      { title: "Computerwelt", tags: [] },
      { title: "Tago Mago", tags: [{ word: "long" }, { word: "loud" }] },
    ]);
    expect(await list("/tags?select=word,albums(title)&id=eq.1")).toEqual([
      { word: "long", albums: [{ title: "Autobahn" }, { title: "Tago Mago" }] },
    ]);
  });

  test("of the same table are the list by the table's name, and one record by the column", async () => {
    const { send } = await serve(`CREATE TABLE staff (id INTEGER PRIMARY KEY, manager_id INTEGER,
      CONSTRAINT led FOREIGN KEY (manager_id) REFERENCES staff (id)); INSERT INTO staff VALUES (1, NULL), (2, 1)`);
    const texts = ["staff!led(id)", "staff!manager_id(id)", "manager_id(id)"].map(
      async (embedded) => (await send("GET", `/staff?select=id,other:${embedded}&id=eq.1`)).text,
    );

    const list = '{"staff":[{"url":"/staff/1","id":1,"other":[{"url":"/staff/2","id":2}]}]}';
    expect(await Promise.all(texts)).toEqual([list, list, '{"staff":[{"url":"/staff/1","id":1,"other":null}]}']);
  });

  test("come by a foreign key before they come through a third table, which a hint names", async () => {
    const { send } = await serve(`CREATE TABLE projects (id INTEGER PRIMARY KEY);
      CREATE TABLE sites (id INTEGER PRIMARY KEY, main_id INTEGER REFERENCES projects (id));
      CREATE TABLE jobs (site_id INTEGER NOT NULL REFERENCES sites (id), project_id INTEGER NOT NULL REFERENCES projects (id),
        PRIMARY KEY (site_id, project_id));
      INSERT INTO projects VALUES (1), (2); INSERT INTO sites VALUES (1, 1); INSERT INTO jobs VALUES (1, 2)`);

    expect((await send("GET", "/sites?select=id,projects(id)")).text).toBe(
      '{"sites":[{"url":"/sites/1","id":1,"projects":{"url":"/projects/1","id":1}}]}',
    );
    expect((await send("GET", "/sites?select=id,projects!jobs(id)")).text).toBe(
      '{"sites":[{"url":"/sites/1","id":1,"projects":[{"url":"/projects/2","id":2}]}]}',
    );
    expect((await send("GET", "/sites?select=id,projects()&projects=is.Not_Null")).text).toBe(
      '{"sites":[{"url":"/sites/1","id":1}]}',
    );
  });

  test("may be of the same table, and are named by foreign keys where there are several", async () => {
    expect(await list("/staff?select=name,manager(name),staff(name)&id=in.(1,2)")).toEqual([
      { name: "Ann", manager: null, staff: [{ name: "Ben" }, { name: "Cem" }] },
      { name: "Ben", manager: { name: "Ann" }, staff: [] },
    ]);
    expect(await list("/letters?select=sender:staff!sender_id(name),receiver(name)&id=eq.1")).toEqual([
      { sender: { name: "Ann" }, receiver: { name: "Ben" } },
    ]);
    expect(await list("/staff?select=sent:letters!sender(text),got:letters!receiver_id(text)&id=eq.1")).toEqual([
      { sent: [{ text: "hello" }], got: [{ text: "hi" }] },
    ]);
  });

  test("are filtered, sorted and cut by parameters with their name before", async () => {
    const target =
      "/artists?select=name,albums(title,songs(title))&id=lt.3&albums.title=like.*o*&albums.order=year.desc&albums.limit=1";
    expect(await list(`${target}&albums.songs.seconds=gt.250`)).toEqual([
      { name: "Kraftwerk", albums: [{ title: "Computerwelt", songs: [{ title: "Taschenrechner" }] }] },
      { name: "Can", albums: [{ title: "Tago Mago", songs: [{ title: "Halleluhwah" }] }] },
    ]);
    expect(
      await list("/artists?select=name,records:albums(title)&id=eq.1&records.order=title.desc&records.offset=1"),
    ).toEqual([{ name: "Kraftwerk", records: [{ title: "Autobahn" }] }]);
    expect(await list("/artists?select=albums(title)&id=eq.2&albums.or=(year.eq.1971,title.eq.x)")).toEqual([
      { albums: [{ title: "Tago Mago" }] },
    ]);
  });

  test("decide which records are there where they are asked to", async () => {
    expect(await list("/artists?select=name,albums!inner(title)&albums.year=lt.1972")).toEqual([
      { name: "Can", albums: [{ title: "Tago Mago" }] },
    ]);
    expect(await list("/albums?select=title,labels!inner(name)&labels.name=eq.Spoon")).toEqual([
      { title: "Tago Mago", labels: { name: "Spoon" } },
      { title: "Ege Bamyasi", labels: { name: "Spoon" } },
    ]);
    expect(await list("/artists?select=name,albums()&albums=is.null")).toEqual([{ name: "Nobody" }]);
    expect(await list("/artists?select=name,albums()&albums=not.is.null&albums.year=gt.1980")).toEqual([
      { name: "Kraftwerk" },
    ]);
    expect(await list("/tags?select=word,albums!inner(songs!inner())&albums.songs.seconds=gt.1200")).toEqual([
      { word: "long", albums: [{}] },
    ]);
    expect(await list("/albums?select=title,labels!left(name)&labels.name=eq.Spoon&id=eq.1")).toEqual([
      { title: "Autobahn", labels: null },
    ]);
  });

  test("count where they are asked to", async () => {
    const { send } = await serveLibrary();

    const answer = await send("GET", "/artists?select=name,albums!inner()&albums.year=lt.1975&limit=1", undefined, {
      Prefer: "count=exact",
    });

    expect(answer.field("Content-Range")).toBe("items 0-0/2");
    expect((await send("GET", "/artists/4?select=name,albums!inner(title)")).status).toBe(404);
  });

  test("sort the records that name them", async () => {
    expect(await list("/albums?select=title,artists(name)&order=artists(name),year.desc&id=neq.5")).toEqual([
      { title: "Ege Bamyasi", artists: { name: "Can" } },
      { title: "Tago Mago", artists: { name: "Can" } },
      { title: "Computerwelt", artists: { name: "Kraftwerk" } },
      { title: "Autobahn", artists: { name: "Kraftwerk" } },
    ]);
    const titles = (await list("/albums?select=title,labels()&order=labels(name).desc.nullslast,id")) as {
      title: string;
    }[];
    expect(titles.map(({ title }) => title).join()).toBe("Tago Mago,Ege Bamyasi,Autobahn,Computerwelt,Neu! 75");
  });

  test("may be what several come to", async () => {
    expect(await list("/artists?select=name,albums(count()),years:albums(year,count())&id=in.(3,4)")).toEqual([
      { name: "Neu!", albums: [{ count: 1 }], years: [{ year: 1975, count: 1 }] },
      { name: "Nobody", albums: [{ count: 0 }], years: [] },
    ]);
    expect(await list("/artists?select=albums(artist_id,price.sum())&id=eq.1&albums.order=sum.desc")).toEqual([
      { albums: [{ artist_id: 1, sum: 19.5 }] },
    ]);
  });

  test("are as many as an answer has records at most", async () => {
    const { send } = await serveLibrary({ maxRows: 1 });

    expect((await send("GET", "/artists?select=albums(title)&albums.limit=5")).text).toBe(
      '{"artists":[{"url":"/artists/1","albums":[{"url":"/albums/1","title":"Autobahn"}]}]}',
    );
  });

  test("have a bound in one record", async () => {
    const { send, run } = await serveLibrary();
    await run({
      sqlite: `INSERT INTO songs (album_id, title) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
        SELECT 1, hex(zeroblob(20000)) FROM n`,
      postgres: "INSERT INTO songs (album_id, title) SELECT 1, repeat('x', 40000) FROM generate_series(1, 900)",
    });

    const answer = await send("GET", "/albums/1?select=songs(title)");

    expect([answer.status, (answer.json as Detail).detail]).toEqual([422, expect.stringContaining("more than 32 MiB")]);
    expect((await send("GET", "/albums/1?select=songs(title)&songs.limit=10")).status).toBe(200);
  });

  test("count for the bytes that an answer ends after", async () => {
    const { send, run } = await serveLibrary({ maxPageBytes: 1024 });
    await run(`UPDATE songs SET title = '${"x".repeat(400)}'`);

    const answer = await send("GET", "/albums?select=songs(title)");

    expect((answer.json as { albums: object[] }).albums).toHaveLength(1);
    expect(answer.field("Link")).toContain("offset=1");
  });

  test("are in CSV as JSON, and nothing where there is none", async () => {
    expect((await get("/albums?select=title,labels(name)&id=gt.3", { Accept: "text/csv" })).text).toBe(
      'title,labels\r\nEge Bamyasi,"{""url"":""/labels/2"",""name"":""Spoon""}"\r\nNeu! 75,\r\n',
    );
  });

  test("are followed by asking again when one of their tables changes", async () => {
    const answer = await get("/artists?select=*,albums(tags(word),songs(title))&albums.order=year&albums.limit=2");

    expect(answer.url).toBe(
      "/artists?albums.limit=2&albums.order=year.asc%2Cid.asc&select=%2A%2Calbums%28tags%28word%29%2Csongs%28title%29%29",
    );
    expect([...(answer.reads?.collections ?? [])].sort()).toEqual([
      "/albums",
      "/albums_tags",
      "/artists",
      "/songs",
      "/tags",
    ]);
    expect(answer.reads?.isComplete).toBe(true);
  });

  test("are asked for again by the URL that the answer goes on under", async () => {
    const { send } = await serveLibrary();
    const target = "/artists?select=label:name,%22a,b%22:albums!inner(*,songs(count()))&%22a,b%22.x=1";
    const better = target.replace(
      "&%22a,b%22.x=1",
      "&a,b.title=in.(Autobahn,%22a,%5C%22b%22)&a,b.order=title.desc&a,b=not.is.null",
    );
    expect((await send("GET", target)).status).toBe(400);

    const first = await send("GET", better);
    const again = await send("GET", first.url ?? "");

    expect(first.status).toBe(200);
    expect([again.text, again.url]).toEqual([first.text, first.url]);
    expect(first.text).toContain("Autobahn");
  });

  test.each([
    ["/artists?select=labels(*)", 'There is no relation "labels" from "artists"; there are albums.'],
    ["/letters?select=staff(*)", 'From "letters", "staff" may be one of several: sender, receiver.'],
    ["/staff?select=letters(*)", '"letters" may be one of several: '],
    ["/artists?select=albums(titel)", 'There is no column "titel"; there are id, artist_id'],
    ["/artists?select=albums(title)&albums.titel=x", 'There is no column "titel"'],
    ["/artists?select=albums(title)&albums.order=titel", 'There is no column "titel"'],
    [
      "/artists?select=name&albums.title=x",
      '"albums.title" is about records that are not embedded; select=*,albums!inner(*)',
    ],
    [
      "/albums?label.name=eq.x",
      '"label.name" is about records that are not embedded; select=*,label!inner(*) embeds them.',
    ],
    ["/albums?nothing.name=eq.x", 'There is no column "nothing.name"'],
    ["/artists?select=albums(title)&albums=eq.x", 'Of the embedded "albums" only is.null'],
    ["/artists?select=albums(title)&order=albums(title)", 'and "albums" is none; there are none.'],
    ["/artists?select=albums(title),albums(year)", '"select" has "albums" more than once'],
    ["/artists?select=albums(title", '")" was expected at character 13'],
    ["/artists?select=albums!inner", '"(" was expected'],
    ["/staff?select=staff(staff(staff(staff(staff(staff(name))))))", "more than 5 deep"],
    [
      `/artists?select=${Array.from({ length: 17 }, (_, at) => `a${at}:albums(id)`).join(",")}`,
      "more than 16 lists and records",
    ],
  ])("that can't be are 400 and say why: %s", async (target, detail) => {
    const answer = await get(target);

    expect([answer.status, (answer.json as Detail).detail]).toEqual([400, expect.stringContaining(detail)]);
  });

  test("through a third table with several keys to either end are named by two", async () => {
    const { send } = await serve(
      `CREATE TABLE sites (id INTEGER PRIMARY KEY); CREATE TABLE projects (id INTEGER PRIMARY KEY);
       CREATE TABLE jobs (site_1 INTEGER NOT NULL REFERENCES sites (id), site_2 INTEGER NOT NULL REFERENCES sites (id),
         project_1 INTEGER NOT NULL REFERENCES projects (id), project_2 INTEGER NOT NULL REFERENCES projects (id),
         PRIMARY KEY (site_1, site_2, project_1, project_2));
       INSERT INTO sites VALUES (1), (2); INSERT INTO projects VALUES (1), (2), (3), (4); INSERT INTO jobs VALUES (1, 2, 3, 4)`,
    );

    const refused = await send("GET", "/sites?select=projects(id)");
    const named = await send("GET", "/sites?select=projects!site_2.project_1(id)&id=eq.2");

    const names = (refused.json as Detail).detail.replace(/.*: |\.$/g, "").split(", ");
    expect([names.length, new Set(names).size]).toEqual([4, 4]);
    for (const name of names) expect((await send("GET", `/sites?select=${name}(id)`)).status).toBe(200);
    expect(named.text).toBe('{"sites":[{"url":"/sites/2","projects":[{"url":"/projects/3","id":3}]}]}');
  });

  test("of a table that is not served are as unknown as of none", async () => {
    const { send } = await serveLibrary({ tables: ["artists", "albums"] });

    const [known, unknown] = [
      await send("GET", "/albums?select=songs(*)"),
      await send("GET", "/albums?select=nothing(*)"),
    ];

    expect(known.status).toBe(400);
    expect((known.json as Detail).detail.replace("songs", "nothing")).toBe((unknown.json as Detail).detail);
  });
});

test("What is embedded by a column's name is shown there, and the column only under another", async () => {
  const { send } = await serve(`CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT, author INTEGER REFERENCES author (id));
    INSERT INTO author VALUES (7, 'Ann'); INSERT INTO book VALUES (1, 'One', 7)`);
  const book = async (select: string) => (await send("GET", `/book/1?select=${select}`)).json;
  const author = { id: 7, name: "Ann" };

  expect(await book("*,author(*)")).toMatchObject({ book: { id: 1, title: "One", author } });
  expect(await book("author(*),*")).toMatchObject({ book: { id: 1, title: "One", author } });
  expect(await book("*,author(*),by:author")).toMatchObject({ book: { title: "One", author, by: 7 } });
  expect(await book("*,author()")).toMatchObject({ book: { title: "One", author: 7 } });
  expect(await book("author,author(*)")).toMatchObject({ status: 400 });
});
