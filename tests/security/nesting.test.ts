import { describe, expect, it } from "vitest";
import { isDeepEqual } from "../../src/client/deep-equal.ts";
import { decodeBase64 } from "../../src/scaffold/json/base64.ts";
import { readDocument, rereadDocument } from "../../src/server/derived/document.ts";
import { PathIndex } from "../../src/server/derived/paths.ts";
import { Follower } from "../proxy/follower.ts";
import { proxied } from "../proxy/setting.ts";
import { serve } from "../scaffold/sqlite/service.ts";

const sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, data JSON)";

/** JSON of so many arrays or objects in each other. */
const arrays = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const objects = (depth: number): string => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const mixed = (depth: number): string => `${'[{"a":'.repeat(depth / 2)}1${"}]".repeat(depth / 2)}`;
const shapes = [
  ["arrays", arrays],
  ["objects", objects],
  ["both", mixed],
] as const;

describe("a body that is nested deeply", () => {
  it.each(shapes)("is a 4xx in each place, and written where it is not too deep: %s", async (_, nested) => {
    const { send, errors } = await serve(sql);
    await send("PUT", "/notes/1", { text: "x", data: { a: 1 } });
    for (const depth of [600, 5_000, 100_000]) {
      const json = nested(depth);
      const bodies = [`{"data":${json}}`, `{"text":${json}}`, `{"note":{"data":${json}}}`, `{"nothing":${json}}`, json];
      for (const body of bodies) {
        for (const [method, url] of [
          ["POST", "/notes"],
          ["PUT", "/notes/1"],
          ["PUT", "/notes/2"],
          ["PATCH", "/notes/1"],
        ] as const) {
          expect((await send(method, url, body)).status, `${method} ${depth}`).toBe(422);
        }
      }
    }
    const fits = nested(400);
    expect((await send("PUT", "/notes/1", `{"data":${fits}}`)).status).toBe(200);
    expect((await send("PATCH", "/notes/1", `{"data":${fits}}`)).status).toBe(200);
    expect((await send("GET", "/notes/1")).text).toContain(fits);
    expect(errors).toEqual([]);
  });

  it.each(shapes)(
    "comes back as it was, in its record's envelope, where its value is just not too deep: %s",
    async (_, nested) => {
      const { send, errors } = await serve(sql);
      const [deepest, deeper] = [nested(500), nested(502)];
      for (const [url, body] of [
        ["/notes/1", `{"data":${deepest}}`],
        ["/notes/2", `{"note":{"data":${deepest}}}`],
      ] as const) {
        expect((await send("PUT", url, body)).status).toBe(201);
        const { text } = await send("GET", url);
        expect(text).toContain(deepest);
        expect(await send("PUT", url, text)).toMatchObject({ status: 200, text });
      }
      for (const body of [`{"data":${deeper}}`, `{"note":{"data":${deeper}}}`]) {
        expect((await send("POST", "/notes", body)).status).toBe(422);
      }
      expect(errors).toEqual([]);
    },
  );

  it("is a 400 where it is no JSON", async () => {
    const { send, errors } = await serve(sql);
    for (const body of ["[".repeat(100_000), '{"a":'.repeat(100_000), `{"data":${"[".repeat(600)}}`]) {
      expect((await send("PUT", "/notes/1", body)).status).toBe(400);
    }
    expect(errors).toEqual([]);
  });

  it("is not taken for one by brackets in a string", async () => {
    const { send } = await serve(sql);
    const text = `${"[{".repeat(5_000)}\\"\\\\`;
    expect((await send("PUT", "/notes/1", { text })).status).toBe(201);
    expect((await send("GET", "/notes/1")).json).toMatchObject({ note: { text } });
  });

  it("is merged into what another program stored, or refused", async () => {
    const { send, other, errors } = await serve(sql);
    other.exec(`INSERT INTO notes (id, data) VALUES (1, '{"b":${arrays(100_000)}}')`);
    expect((await send("PATCH", "/notes/1", { data: { a: 1 } })).status).toBe(422);
    expect((await send("GET", "/notes/1")).status).toBe(200);
    expect((await send("PATCH", "/notes/1", { data: { b: 1 } })).status).toBe(200);
    expect(errors).toEqual([]);
  });
});

describe("what is nested deeply and no body", () => {
  it.each(shapes)("is a document like any other: %s", (_, nested) => {
    const place = { target: "/a", authority: "localhost" };
    const list = (data: string): string => `{"a":[{"id":1,"data":${data}},{"id":2}]}`;
    const before = readDocument("application/json", list("1"), place);
    const after = rereadDocument(before, "application/json", list(nested(100_000)), place);
    expect(after.list?.rows.length).toBe(2);
    expect(readDocument("application/json", nested(100_000), place).body).toHaveLength(nested(100_000).length);
  });

  it.each(shapes)("is passed on by the proxy and can be followed: %s", async (_, nested) => {
    const data = nested(100_000);
    let version = 1;
    const { url } = await proxied((request, response) => {
      request.resume();
      if (request.method === "PUT") version += 1;
      response.setHeader("Content-Type", "application/json");
      response.end(`{"a":[{"id":1,"version":${version},"data":${data}}]}`);
    });
    const follower = await new Follower(`${url}/a`, ["rocket.v1"]).caughtUp();
    expect((await fetch(`${url}/a/1`, { method: "PUT", body: data })).status).toBe(200);
    const [first, second] = await follower.notifications(2);
    expect(first).toBe(`200 {"a":[{"id":1,"version":1,"data":${data}}]}`);
    expect(second).toBe(`202 /a#1 {"id":1,"version":2,"data":${data}}`);
  });

  it.each(shapes)("is compared without end of the stack by the client: %s", (_, nested) => {
    expect(isDeepEqual(JSON.parse(nested(100_000)), JSON.parse(nested(100_000)))).toBe(false);
    expect(isDeepEqual(JSON.parse(nested(100)), JSON.parse(nested(100)))).toBe(true);
  });

  it("is not made of a long text: 16 MB of base64 are read, or refused", () => {
    const text = "A".repeat(16 * 1024 * 1024);
    expect(decodeBase64(text)).toHaveLength(12 * 1024 * 1024);
    expect(decodeBase64(`${text.slice(1)}!`)).toBeUndefined();
    expect(["AA==", "AAA=", "AAAA", ""].map((one) => decodeBase64(one)?.length)).toEqual([1, 2, 3, 0]);
    expect(["A===", "====", "AB==", "AA=A", "AAA", "="].map((one) => decodeBase64(one))).toEqual(
      Array(6).fill(undefined),
    );
  });

  it("as a path is found, and forgotten again", () => {
    const index = new PathIndex<string>();
    const deep = "/a".repeat(100_000);
    index.add(deep, "deep");
    index.add("/a/a", "shallow");
    expect([...index.touched("/")].sort()).toEqual(["deep", "shallow"]);
    expect([...index.touched(deep)].sort()).toEqual(["deep", "shallow"]);
    index.remove(deep, "deep");
    expect([...index.touched("/")]).toEqual(["shallow"]);
    index.remove("/a/a", "shallow");
    expect([...index.touched("/")]).toEqual([]);
  });
});
