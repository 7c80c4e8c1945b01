import { describe, expect, test } from "vitest";
import { connectMemoryPeer, createFakeClock, Replica } from "../../../src/testing/index.ts";
import { createPatientHub } from "./patient-hub.ts";
import { type Answer, here, type Service, serve } from "./service.ts";

const key = here({ sqlite: "INTEGER PRIMARY KEY", postgres: "bigint PRIMARY KEY" });
const json = here({ sqlite: "JSON", postgres: "json" });
const bytes = here({ sqlite: "x'00ff'", postgres: "'\\x00ff'" });
const blob = here({ sqlite: "BLOB", postgres: "bytea" });

const sql = `
  CREATE TABLE things (id ${key}, "a ""name"", odd" TEXT, flag BOOLEAN, big BIGINT, doc ${json}, bytes ${blob});
  INSERT INTO things VALUES (1, 'plain', TRUE, 1, '{"a":1}', ${bytes});
  INSERT INTO things VALUES (2, '', NULL, 9007199254740993, '"text"', NULL);
  INSERT INTO things VALUES (3, NULL, FALSE, -1, NULL, NULL);
  INSERT INTO things VALUES (4, 'a, "b"\r\nc', NULL, NULL, 'null', NULL);
  INSERT INTO things VALUES (5, '=1+1', NULL, NULL, '{"a":\n"b\\n"}', NULL);
  INSERT INTO things VALUES (6, ' é ', NULL, NULL, NULL, NULL);`;

const header = 'id,"a ""name"", odd",flag,big,doc,bytes';

function get(service: Service, target: string, accept: string, fields = {}): Promise<Answer> {
  return service.send("GET", target, undefined, { Accept: accept, ...fields });
}

describe("A collection as text/csv", () => {
  test("has a line of names, and a line for each record, as RFC 4180 writes them", async () => {
    const service = await serve(sql);
    const answer = await get(service, "/things", "text/csv");
    expect([answer.status, answer.field("Content-Type")]).toEqual([200, "text/csv; charset=utf-8; header=present"]);
    expect(answer.text.split("\r\n1")[0]).toBe(header);
    expect(answer.text).toBe(
      [
        header,
        '1,plain,true,1,"{""a"":1}",AP8=',
        '2,"",,9007199254740993,"""text""",',
        "3,,false,-1,,",
        '4,"a, ""b""\r\nc",,,null,',
        '5,=1+1,,,"{""a"":\n""b\\n""}",',
        "6, é ,,,,",
        "",
      ].join("\r\n"),
    );
  });

  test("is filtered, sorted and cut as ever, with its Link and count, and has its own entity tag", async () => {
    const service = await serve(sql);
    const answer = await get(service, "/things?order=id.desc&limit=1&id=lt.3", "text/csv", { Prefer: "count=exact" });
    expect(answer.text).toBe(`${header}\r\n2,"",,9007199254740993,"""text""",\r\n`);
    expect(answer.field("Content-Range")).toBe("items 0-0/2");
    expect(answer.field("Link")).toContain('</things?after=%282%29&id=lt.3&limit=1&order=id.desc>; rel="next"');
    const page = await get(service, "/things?page=2&per_page=5", "text/csv");
    expect(page.text).toBe(`${header}\r\n6, é ,,,,\r\n`);
    expect(page.field("ETag")).not.toBe((await get(service, "/things?page=2&per_page=5", "*/*")).field("ETag"));
    const known = await get(service, "/things?page=2&per_page=5", "text/csv", {
      "If-None-Match": page.field("ETag") ?? "",
    });
    expect([known.status, known.text, known.field("Vary")]).toEqual([304, "", "Accept, Prefer"]);
  });

  test("ends by its own bytes", async () => {
    const service = await serve(sql, { maxPageBytes: 1_024 });
    await service.run(`DELETE FROM things; INSERT INTO things (id, big) VALUES (1, 1), (2, 2), (3, 3)`);
    await service.run(`UPDATE things SET "a ""name"", odd" = '${"\n".repeat(500)}'`);
    // In JSON each of these is written with two characters.
    expect((await get(service, "/things", "application/json")).field("Link")).toBe('</things?offset=1>; rel="next"');
    expect((await get(service, "/things", "text/csv")).field("Link")).toBe('</things?after=%282%29>; rel="next"');
  });
});

describe("A collection as application/x-ndjson", () => {
  test("has a line for each record, as JSON has it", async () => {
    const service = await serve(sql);
    const answer = await get(service, "/things", "application/x-ndjson");
    const { things } = (await get(service, "/things", "application/json")).json as { things: unknown[] };
    expect([answer.status, answer.field("Content-Type")]).toEqual([200, "application/x-ndjson"]);
    expect(answer.text.endsWith("}\n")).toBe(true);
    const lines = answer.text.split("\n").slice(0, -1);
    expect(lines.map((line) => JSON.parse(line))).toEqual(things);
    expect(lines).toHaveLength(6);
    expect((await get(service, "/things?id=9", "application/x-ndjson")).text).toBe("");
  });
});

describe("A collection's format", () => {
  test.each([
    ["", "application/json"],
    ["*/*", "application/json"],
    ["*/*, application/*;q=0.9", "application/json"],
    ["*/*;q=0.5", "application/json"],
    ["text/csv, application/json", "application/json"],
    ["text/csv, application/json;q=0.9", "text/csv; charset=utf-8; header=present"],
    ["*/*, application/json;q=0", "text/csv; charset=utf-8; header=present"],
    ["text/*", "text/csv; charset=utf-8; header=present"],
    ["application/x-ndjson, */*;q=0.1", "application/x-ndjson"],
    ["text/html, */*;q=0.8", "application/json"],
  ])("is what is wanted most, and JSON of equals: %s", async (accept, type) => {
    const service = await serve(sql);
    for (const method of ["GET", "HEAD"]) {
      const answer = await service.send(method, "/things", undefined, { Accept: accept });
      expect([answer.status, answer.field("Content-Type"), answer.field("Vary")]).toEqual([
        200,
        type,
        "Accept, Prefer",
      ]);
    }
  });

  test.each(["*/*;q=0", "image/png", "application/*;q=0, text/*;q=0"])(
    "is none where none is taken: %s",
    async (accept) => {
      expect((await get(await serve(sql), "/things", accept)).status).toBe(406);
    },
  );

  test("is JSON for a record, and for the list of collections", async () => {
    const service = await serve(sql);
    for (const target of ["/things/1", "/"]) expect((await get(service, target, "text/csv")).status).toBe(406);
  });

  test("other than JSON says where it stands in the journal, and nothing of how records are followed", async () => {
    const service = await serve(sql);
    const [plain, csv] = [await get(service, "/things", "*/*"), await get(service, "/things", "text/csv")];
    expect([csv.field("Event-ID"), csv.field("Items"), csv.field("Item-Order"), csv.view, csv.url]).toEqual([
      ...[plain.field("Event-ID"), undefined, undefined, undefined, undefined],
    ]);
    expect(plain.field("Event-ID")).toBeDefined();
  });

  test.each(["text/csv", "application/x-ndjson"])("%s is not followed: that is a 422 that says so", async (accept) => {
    const clock = createFakeClock();
    const service = await serve(sql, { clock });
    const { hub, advance } = createPatientHub(service.scaffold, clock);
    const messages: string[] = [];
    const follow = async (wanted: string): Promise<Replica> => {
      const replica = new Replica("/things");
      await connectMemoryPeer(hub, "/things", {
        fields: [
          ["Host", "example.com"],
          ["Accept", wanted],
        ],
        onMessage(message) {
          messages.push(`${message.status} ${message.body}`);
          replica.take(message);
        },
      });
      await advance(100);
      return replica;
    };
    await follow(accept);
    expect(messages).toEqual([expect.stringMatching(/^422 .*A collection can be followed as application\/json only/)]);
    expect((await follow(`${accept};q=0.5, application/json`)).order).toHaveLength(6);
  });
});
