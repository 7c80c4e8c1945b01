import { describe, expect, test } from "vitest";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { createPatientHub } from "./patient-hub.ts";
import { here, type Service, serve } from "./service.ts";

const json = here({ sqlite: "JSON", postgres: "jsonb" });

const data = `{"name":"Low","tags":["slow",{"deep":[1,2.50,9007199254740993]}],"n":12345678901234567890,"t":true,"z":null,"a b":1,"0":"zero","x,y":"comma"}`;

const sql = `CREATE TABLE labels (id INTEGER PRIMARY KEY, name TEXT, data ${json});
  CREATE TABLE albums (id INTEGER PRIMARY KEY, title TEXT, data ${json}, label_id INTEGER REFERENCES labels (id), "a->b" TEXT);
  CREATE TABLE songs (id INTEGER PRIMARY KEY, album_id INTEGER REFERENCES albums (id), title TEXT);
  INSERT INTO labels VALUES (1, 'Spoon', '{"city":"Köln"}');
  INSERT INTO albums VALUES (1, 'Trust', '${data}', 1, 'arrow'), (2, 'Drums', '"text"', NULL, NULL), (3, 'Guns', NULL, 1, NULL);
  INSERT INTO songs VALUES (1, 1, 'Amazing Grace'), (2, NULL, 'Single')`;

function open(): Promise<Service> {
  return serve(sql);
}

async function shown(select: string): Promise<unknown> {
  const { send } = await open();
  const answer = await send("GET", `/albums/1?select=${encodeURIComponent(select)}`);
  expect(answer.status).toBe(200);
  const { url: _, ...record } = (answer.json as { album: Record<string, unknown> }).album;
  return record;
}

describe("A path into JSON in select", () => {
  test.each<[string, unknown]>([
    ["data->>name", { name: "Low" }],
    ["data->name,data->t,data->z,data->no", { name: "Low", t: true, z: null, no: null }],
    ["t:data->>t,z:data->>z,n:data->>n", { t: "true", z: null, n: "12345678901234567890" }],
    [
      "data->tags->0,second:data->tags->1->deep->1,last:data->tags->-1->>deep",
      { tags: "slow", second: 2.5, last: "[1,2.50,9007199254740993]" },
    ],
    ['data->"a b",zero:data->>"0",data->"x,y"', { "a b": 1, zero: "zero", "x,y": "comma" }],
    ["alias:data->tags->1->deep->9,data->name->x,data->0", { alias: null, x: null, data: null }],
    ['"a->b"', { "a->b": "arrow" }],
    ["a->b", { "a->b": "arrow" }],
    ["...labels(name,data->>city)", { name: "Spoon", city: "Köln" }],
    ["labels(where:data->city)", { labels: { url: "/labels/1", where: "Köln" } }],
  ])("shows what is there: %s", async (select, record) => {
    expect(await shown(select)).toEqual(record);
  });

  test("keeps each digit, in its canonical URL, too, and finds what it shows", async () => {
    const { send } = await open();

    const answer = await send("GET", '/albums?select=data->n,x:data->"x,y",data->tags->1->>deep,data->"0"&id=eq.1');
    const found = await send("GET", "/albums?data->>n=eq.12345678901234567890&select=data->>n");
    const again = await send("GET", answer.url ?? "");

    expect(answer.text).toContain('"n":12345678901234567890,"x":"comma"');
    expect(decodeURIComponent(answer.url ?? "")).toBe(
      '/albums?id=1&select=data->n,x:data->"x,y",data->tags->1->>deep,data->"0"',
    );
    expect([again.text, again.url]).toEqual([answer.text, answer.url]);
    expect(found.json).toMatchObject({ albums: [{ n: "12345678901234567890" }] });
  });

  test("has nothing of what is no object and of NULL, in CSV and lines, too", async () => {
    const { send } = await open();
    const target = "/albums?select=data->>name,all:data->tags";

    const csv = await send("GET", target, undefined, { Accept: "text/csv" });
    const lines = await send("GET", `${target}&id=gt.1`, undefined, { Accept: "application/x-ndjson" });

    expect(csv.text).toBe('name,all\r\nLow,"[""slow"",{""deep"":[1,2.50,9007199254740993]}]"\r\n,\r\n,\r\n');
    expect(lines.text).toBe('{"url":"/albums/2","name":null,"all":null}\n{"url":"/albums/3","name":null,"all":null}\n');
  });

  test("goes with writes", async () => {
    const { send } = await open();

    const answer = await send("PATCH", "/albums/1?select=data->>name,data->t", { data: { name: "High" } });

    expect(answer.text).toBe('{"album":{"url":"/albums/1","name":"High","t":true}}');
  });

  test.each([
    ["title->>a", 'The column "title" has no JSON'],
    ["nothing->>a", 'There is no column "nothing"'],
    ["data->>a->b", "with ->> before its last step alone"],
    ["data->", "A path into JSON is written as"],
    ["data->>name,name:title", '"select" has "name" more than once'],
    ["data->>name,count()", "makes no groups"],
    ["data->n.sum()", 'There is no column "data->n"'],
    ["data->>n::int", 'casts as "::" are not supported'],
    [`data${"->a".repeat(33)}`, "more than 32 steps"],
  ])("that can't be is 400 and says why: %s", async (select, detail) => {
    const { send } = await open();

    const answer = await send("GET", `/albums?select=${encodeURIComponent(select)}`);

    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([400, expect.stringContaining(detail)]);
  });
});

describe("An embedded record that is spread", () => {
  test("stands in the outer one, and is null where there is none", async () => {
    const { send } = await open();

    const answer = await send(
      "GET",
      "/albums?select=title,...labels(label:name,albums(id))&order=id.desc&limit=2&labels.albums.id=lt.2",
    );
    const deep = await send("GET", "/songs?select=...albums(album:title,...labels(name))&id=lt.3");

    expect(answer.text).toBe(
      '{"albums":[{"url":"/albums/3","title":"Guns","label":"Spoon","albums":[{"url":"/albums/1","id":1}]},' +
        '{"url":"/albums/2","title":"Drums","label":null,"albums":[]}]}',
    );
    expect(deep.json).toEqual({
      songs: [
        { url: "/songs/1", album: "Trust", name: "Spoon" },
        { url: "/songs/2", album: null, name: null },
      ],
    });
  });

  test("filters and sorts as any other, and has one canonical URL", async () => {
    const { send } = await open();

    const answer = await send(
      "GET",
      "/albums?select=id,...labels!inner(name)&labels.name=eq.Spoon&order=labels(name),id.desc",
    );
    const csv = await send("GET", "/albums?select=id,...labels(name)&limit=2", undefined, { Accept: "text/csv" });

    expect(answer.json).toMatchObject({ albums: [{ id: 3, name: "Spoon" }, { id: 1 }] });
    expect(decodeURIComponent(answer.url ?? "")).toBe(
      "/albums?labels.name=Spoon&order=labels(name).asc,id.desc&select=id,...labels!inner(name)",
    );
    expect((await send("GET", answer.url ?? "")).text).toBe(answer.text);
    expect(csv.text).toBe("id,name\r\n1,Spoon\r\n2,\r\n");
  });

  test("has its record's URL under another name where it shows a column of that name", async () => {
    const { send } = await serve(`CREATE TABLE sites (id INTEGER PRIMARY KEY, url TEXT);
      CREATE TABLE pages (id INTEGER PRIMARY KEY, site_id INTEGER REFERENCES sites (id));
      INSERT INTO sites VALUES (1, 'http://a'); INSERT INTO pages VALUES (1, 1)`);

    const answer = await send("GET", "/pages?select=id,...sites(url)");

    expect(answer.text).toBe('{"pages":[{"_url":"/pages/1","id":1,"url":"http://a"}]}');
    expect(answer.field("Items")).toContain('link="/_url"');
  });

  test.each([
    ["/labels?select=...albums(title)", '"..." stands before a single record, and "albums" is a list'],
    ["/albums?select=...labels(count())", '"..." stands before a single record'],
    ["/albums?select=id,...labels(id)", '"select" has "id" more than once'],
    ["/albums?select=...title", 'behind "..." an embedded record was expected'],
    ["/albums?select=...labels()", 'behind "..." an embedded record was expected'],
    ["/albums?select=...x:labels(name)", 'behind "..." an embedded record was expected'],
  ])("that can't be is 400 and says why: %s", async (target, detail) => {
    const { send } = await open();

    const answer = await send("GET", target);

    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([400, expect.stringContaining(detail)]);
  });
});

describe("A list with paths and spread records", () => {
  test("is followed: it is told of what it shows, and of nothing else", async () => {
    const clock = createFakeClock();
    const service = await open();
    const target = "/albums?select=data->>name,...labels(city:data->city)";
    const { hub, advance } = createPatientHub(service.scaffold, clock);
    const replica = new Replica(target);
    const told: string[] = [];
    await connectMemoryPeer(hub, target, {
      fields: [["Host", "example.com"]],
      onMessage: (message) => {
        replica.take(message);
        if (message.status !== 304) told.push(String(message.status));
      },
    });
    await advance(100);
    const write = async (text: string): Promise<string[]> => {
      told.length = 0;
      await service.run(text);
      await advance(100);
      return [...told];
    };

    expect(await write(`UPDATE albums SET data = '{"name":"Low","more":1}' WHERE id = 1`)).toEqual([]);
    expect(await write(`UPDATE albums SET data = '{"name":"High"}' WHERE id = 1`)).toEqual(["202"]);
    expect(await write(`UPDATE labels SET data = '{"city":"Bonn"}'`)).toEqual(["202", "202"]);
    expect(await write("UPDATE labels SET name = 'x'")).toEqual([]);
    const { albums } = (await service.send("GET", target)).json as { albums: object[] };
    expect(replica.order.map((url) => JSON.parse(replica.records.get(url) ?? "null"))).toEqual(albums);
  });
});
