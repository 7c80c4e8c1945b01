import { describe, expect, test } from "vitest";
import { applyJsonPatch, parseJsonPatch } from "../../../src/scaffold/json/json-patch.ts";
import { parseJson } from "../../../src/scaffold/json/json-reader.ts";
import { isSameJson } from "../../../src/scaffold/json/same-json.ts";
import { type Answer, musicSql, serve } from "./service.ts";

const patchType = { "Content-Type": "application/json-patch+json" };
const detail = (answer: Answer) => (answer.json as { detail: string }).detail;

function patched(document: unknown, operations: readonly object[]): unknown {
  return applyJsonPatch(structuredClone(document), parseJsonPatch(operations));
}

const docsSql = {
  sqlite: `CREATE TABLE docs (id INTEGER PRIMARY KEY, data JSON, n INTEGER);
    INSERT INTO docs VALUES (1, '{"a":[1,{"b":12345678901234567890}],"c":1.50}', 7)`,
  postgres: `CREATE TABLE docs (id int PRIMARY KEY, data json, n int);
    INSERT INTO docs VALUES (1, '{"a":[1,{"b":12345678901234567890}],"c":1.50}', 7)`,
};

describe("A JSON Patch", () => {
  // What RFC 6902, appendix A, says.
  test.each([
    ["A.1", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { baz: "qux", foo: "bar" }],
    ["A.2", { foo: ["bar", "baz"] }, [{ op: "add", path: "/foo/1", value: "qux" }], { foo: ["bar", "qux", "baz"] }],
    ["A.3", { baz: "qux", foo: "bar" }, [{ op: "remove", path: "/baz" }], { foo: "bar" }],
    ["A.4", { foo: ["bar", "qux", "baz"] }, [{ op: "remove", path: "/foo/1" }], { foo: ["bar", "baz"] }],
    ["A.5", { baz: "qux", foo: "bar" }, [{ op: "replace", path: "/baz", value: "boo" }], { baz: "boo", foo: "bar" }],
    [
      ...["A.6", { foo: { bar: "baz", waldo: "fred" }, qux: { corge: "grault" } }],
      [{ op: "move", from: "/foo/waldo", path: "/qux/thud" }],
      { foo: { bar: "baz" }, qux: { corge: "grault", thud: "fred" } },
    ],
    [
      ...["A.7", { foo: ["all", "grass", "cows", "eat"] }, [{ op: "move", from: "/foo/1", path: "/foo/3" }]],
      { foo: ["all", "cows", "eat", "grass"] },
    ],
    [
      ...["A.8", { baz: "qux", foo: ["a", 2, "c"] }],
      [
        { op: "test", path: "/baz", value: "qux" },
        { op: "test", path: "/foo/1", value: 2 },
      ],
      { baz: "qux", foo: ["a", 2, "c"] },
    ],
    ["A.10", { foo: "bar" }, [{ op: "add", path: "/child", value: { g: {} } }], { foo: "bar", child: { g: {} } }],
    ["A.11", { foo: "bar" }, [{ op: "add", path: "/baz", value: "qux", xyz: 123 }], { foo: "bar", baz: "qux" }],
    ["A.14", { "/": 9, "~1": 10 }, [{ op: "test", path: "/~01", value: 10 }], { "/": 9, "~1": 10 }],
    ["A.16", { foo: ["bar"] }, [{ op: "add", path: "/foo/-", value: ["abc"] }], { foo: ["bar", ["abc"]] }],
    [
      ...["a copy is one of its own", { a: { b: 1 } }],
      [
        { op: "copy", from: "/a", path: "/c" },
        { op: "replace", path: "/c/b", value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    ["the whole", { a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
  ] as [string, unknown, object[], unknown][])("does what RFC 6902 says: %s", (_name, document, operations, wanted) => {
    expect(patched(document, operations)).toEqual(wanted);
  });

  test.each([
    ["A.9", { baz: "qux" }, { op: "test", path: "/baz", value: "bar" }],
    ["A.12", { foo: "bar" }, { op: "add", path: "/baz/bat", value: "qux" }],
    ["A.15", { "/": 9, "~1": 10 }, { op: "test", path: "/~01", value: "10" }],
    ["a place that is none", { foo: ["a"] }, { op: "add", path: "/foo/2", value: 1 }],
    ["a place with a zero before it", { foo: ["a", "b"] }, { op: "remove", path: "/foo/01" }],
    ["what is inherited", {}, { op: "remove", path: "/toString" }],
    ["a move into itself", { a: { b: 1 } }, { op: "move", from: "/a", path: "/a/b/c" }],
    ["the whole that is taken away", { a: 1 }, { op: "remove", path: "" }],
  ])("does not fit: %s", (_name, document, operation) => {
    expect(() => patched(document, [operation])).toThrow(/^Operation 1 \(/);
  });

  test("takes __proto__ for a name", () => {
    const document = patched({}, [{ op: "add", path: "/__proto__", value: { a: 1 } }]);
    expect(JSON.stringify(document)).toBe('{"__proto__":{"a":1}}');
    expect(Object.getPrototypeOf(document)).toBe(Object.prototype);
  });

  test("compares numbers by their values, however long they are written", () => {
    const numbers = parseJson(`[1.50, 15e-1, 1e2, 100, -0, 0.000, 1${"0".repeat(200_000)}1, 1${"0".repeat(200_000)}2]`);
    const [a, b, c, d, e, f, g, h] = numbers as unknown[];
    expect([isSameJson(a, b), isSameJson(c, d), isSameJson(e, f), isSameJson(g, h)]).toEqual([true, true, true, false]);
    expect(isSameJson({ n: a }, { n: "1.5" })).toBe(false);
  });

  test("can be applied again: what it adds is each document's own", () => {
    const operations = parseJsonPatch([
      { op: "add", path: "/a", value: [] },
      { op: "add", path: "/a/-", value: 1 },
      { op: "replace", path: "/b", value: { c: 1 } },
      { op: "remove", path: "/b/c" },
    ]);
    for (let time = 0; time < 2; time += 1) {
      expect(applyJsonPatch({ b: 0 }, operations)).toEqual({ a: [1], b: {} });
    }
  });

  test("moves nothing into itself, and to its own place without harm", () => {
    expect(() => patched({ a: { b: 1 } }, [{ op: "move", from: "/a", path: "/a/b" }])).toThrow("into itself");
    expect(patched([1, 2], [{ op: "move", from: "/0", path: "/0" }])).toEqual([1, 2]);
  });

  test("does not grow beyond bounds by copies of copies", () => {
    const doubling = Array.from({ length: 40 }, (_, at) => ({ op: "copy", from: "", path: `/${at}` }));
    expect(() => patched({}, doubling)).toThrow("no more than 10000 values may be copied");
    const again = Array.from({ length: 3 }, () => ({ op: "copy", from: "/a", path: "/b" }));
    expect(() => patched({ a: Array(4_000).fill(0) }, again)).toThrow(/^Operation 3 /);
  });
});

describe("PATCH with a JSON Patch", () => {
  test("changes the record, also inside its JSON, and nothing else", async () => {
    const { send, rows } = await serve(docsSql);
    const operations = [
      { op: "test", path: "/data/c", value: 1.5 },
      { op: "test", path: "/doc/n", value: 7 },
      { op: "add", path: "/data/a/0", value: 0 },
      { op: "remove", path: "/n" },
    ];
    const answer = await send("PATCH", "/docs/1", operations, patchType);
    expect([answer.status, answer.text]).toEqual([
      ...[200, '{"doc":{"url":"/docs/1","id":1,"data":{"a":[0,1,{"b":12345678901234567890}],"c":1.50},"n":null}}'],
    ]);
    expect(await rows("SELECT n FROM docs")).toEqual([[null]]);
  });

  test("that does not fit is 409, and changes nothing", async () => {
    const { send } = await serve(musicSql);
    const operations = [
      { op: "replace", path: "/year", value: 1999 },
      { op: "test", path: "/name", value: "Can" },
    ];
    const answer = await send("PATCH", "/artists/1", operations, patchType);
    expect([answer.status, detail(answer)]).toEqual([
      ...[409, "The JSON Patch does not fit. Operation 2 (test): there is another value at its path."],
    ]);
    expect((await send("GET", "/artists/1?")).json).toMatchObject({ artist: { year: 1970 } });
  });

  test.each([
    [[{ op: "add", path: "name", value: 1 }], 400, 'has no "path" that is a JSON pointer'],
    [[{ op: "add", path: "/name" }], 400, 'Operation 1 has no "value"'],
    [[{ op: "become", path: "/name" }], 400, 'has no "op" of RFC 6902'],
    [[1], 400, "Operation 1 is no JSON object"],
    [{ name: "x" }, 422, "The body must be a JSON list."],
    [[{ op: "add", path: "/nothing", value: 1 }], 422, "see nothing"],
    [[{ op: "remove", path: "/name" }], 422, "A value is missing"],
    [[{ op: "replace", path: "/id", value: 7 }], 422, "see id"],
    [[{ op: "replace", path: "", value: 7 }], 422, "leaves no JSON object"],
  ])("that can't be is refused: %j", async (operations, status, text) => {
    const { send } = await serve(musicSql);
    const answer = await send("PATCH", "/artists/1", operations, patchType);
    expect([answer.status, detail(answer)]).toEqual([status, expect.stringContaining(text)]);
  });

  test("of no operation answers the record", async () => {
    const { send } = await serve(musicSql);
    const answer = await send("PATCH", "/artists/1", [], patchType);
    expect([answer.status, answer.text]).toEqual([200, (await send("GET", "/artists/1")).text]);
  });

  test("is for each record of several, or for none", async () => {
    const { send } = await serve(musicSql);
    const operations = [
      { op: "test", path: "/genre", value: "rock" },
      { op: "copy", from: "/name", path: "/genre" },
    ];
    expect((await send("PATCH", "/artists?id=in.(1,2)", operations, patchType)).status).toBe(409);
    const answer = await send("PATCH", "/artists?id=in.(2,3)", operations, patchType);
    expect(answer.json).toMatchObject({ artists: [{ genre: "Can" }, { genre: "Neu!" }] });
    expect((await send("GET", "/artists/1")).json).toMatchObject({ artist: { genre: "electronic" } });
  });
});
