import { describe, expect, onTestFinished, test } from "vitest";
import type { Batch } from "../../../src/server/index.ts";
import { type Answer, musicSql, type Service, serve } from "./service.ts";

const path = "/.well-known/rocket/batch";
const detail = (answer: Answer) => (answer.json as { detail: string }).detail;

interface PartAnswer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const partsOf = (answer: Answer) => answer.json as PartAnswer[];

async function send({ send: sendOne }: Pick<Service, "send">, requests: unknown, fields = {}): Promise<Answer> {
  return sendOne("POST", path, requests, fields);
}

describe("A batch", () => {
  test("carries out its requests in order, and answers each as it would be alone [R-BATCH-1] [R-BATCH-2]", async () => {
    const service = await serve(musicSql);
    const answer = await send(service, [
      { method: "POST", url: "/artists", body: { id: 9, name: "Low" } },
      { method: "PATCH", url: "/artists/9", body: { year: 1993 } },
      { method: "PUT", url: "/artists/3", body: { artist: { name: "La Düsseldorf" } } },
      { method: "DELETE", url: "/artists/4" },
      {
        method: "POST",
        url: "/artists/9/albums",
        fields: { Prefer: "return=minimal" },
        body: { id: 7, title: "Trust" },
      },
      {
        ...{ method: "PATCH", url: "/albums?artist_id=eq.1" },
        fields: { "content-type": "application/json-patch+json" },
        body: [{ op: "replace", path: "/title", value: "Computerwelt" }],
      },
    ]);
    expect([answer.status, answer.field("Content-Type")]).toEqual([200, "application/json"]);
    const parts = partsOf(answer);
    expect(parts.map(({ status }) => status)).toEqual([201, 200, 200, 204, 201, 200]);
    expect(parts[0]?.fields).toMatchObject({ Location: "/artists/9", "Content-Type": "application/json" });
    const { fields, body } = parts[1] ?? {};
    const now = await service.send("GET", "/artists/9");
    expect([body, fields?.ETag]).toEqual([now.json, now.field("ETag")]);
    expect(parts[3]).toEqual({ status: 204, fields: {} });
    expect(parts[4]?.body).toBeUndefined();
    expect((await service.send("GET", "/albums/7")).json).toMatchObject({ album: { artist_id: 9, title: "Trust" } });
    expect((await service.send("GET", "/albums/1")).json).toMatchObject({ album: { title: "Computerwelt" } });
  });

  test("is one transaction, told as one batch, at the position of its answer [R-BATCH-1]", async () => {
    const service = await serve(musicSql);
    const batches: Batch[] = [];
    const heard = new Promise<void>((resolve) => {
      const stop = service.scaffold.journal?.tail((batch) => {
        batches.push(batch);
        if (batch.changes.length > 0) resolve();
      });
      onTestFinished(() => stop?.());
    });
    const answer = await send(service, [
      { method: "PATCH", url: "/artists/1", body: { year: 1971 } },
      { method: "PATCH", url: "/albums/2", body: { title: "Future Days" } },
    ]);
    await heard;
    const told = batches.filter(({ changes }) => changes.length > 0);
    expect(told.map(({ changes, eventId }) => [changes.map(({ url }) => url), eventId])).toEqual([
      [["/artists/1", "/albums/2"], answer.field("Event-ID")],
    ]);
  });

  test.each([
    ["a refusal", { method: "DELETE", url: "/artists/99" }, 404, "There is no such record."],
    ["a broken rule", { method: "POST", url: "/artists", body: { name: "Can" } }, 409, "There is a record with this"],
    ["a method that is not there", { method: "PUT", url: "/artists", body: {} }, 405, "PUT is not allowed here"],
    ["a condition", { method: "DELETE", url: "/artists/3", fields: { "If-Match": '"x"' } }, 412, "If-Match does not"],
    ["no JSON body", { method: "POST", url: "/artists" }, 415, "it has no Content-Type"],
    ["a list for a record", { method: "PATCH", url: "/artists/1", body: [] }, 422, "must be a JSON object"],
    ["a batch in a batch", { method: "POST", url: path, body: [] }, 404, "There is nothing at"],
    ["no filter", { method: "DELETE", url: "/artists" }, 400, "needs a filter"],
    ["no path", { method: "DELETE", url: "artists/1" }, 400, "must begin with a slash"],
  ])(
    "that meets %s writes nothing, and says which request it was [R-BATCH-3]",
    async (_what, request, status, text) => {
      const service = await serve(musicSql);
      const before = (await service.send("GET", "/artists")).text;
      const answer = await send(service, [
        { method: "PATCH", url: "/artists/1", body: { year: 1971 } },
        request,
        { method: "DELETE", url: "/artists/4" },
      ]);
      expect([answer.status, answer.field("Content-Type")]).toEqual([status, "application/problem+json"]);
      expect(answer.json).toMatchObject({ status, request: 1 });
      expect(detail(answer)).toMatch(/^Request 2 of the batch: /);
      expect(detail(answer)).toContain(text);
      expect((await service.send("GET", "/artists")).text).toBe(before);
    },
  );

  test("keeps what a refusal says of fields and columns [R-BATCH-3]", async () => {
    const service = await serve(musicSql);
    const put = await send(service, [{ method: "PUT", url: "/artists", body: {} }]);
    expect(put.field("Allow")).toBe("GET, HEAD, POST, PATCH, DELETE, OPTIONS");
    const post = await send(service, [{ method: "POST", url: "/artists", body: { name: "Can" } }]);
    expect(post.json).toMatchObject({ errors: [{ field: "name" }], request: 0 });
  });

  test.each([
    [[{ method: "GET", url: "/artists" }], 400, '"method" must be one of POST, PUT, PATCH, DELETE'],
    [[{ method: "DELETE" }], 400, '"url" must be a string'],
    [[{ method: "DELETE", url: "/artists/3", fields: { Cookie: "a" } }], 400, `It can't have the field "Cookie"`],
    [[{ method: "DELETE", url: "/artists/3", fields: { Prefer: 1 } }], 400, 'The field "Prefer" must be a string'],
    [[{ method: "DELETE", url: "/artists/3", id: 1 }], 400, 'A request has no member "id"'],
    [["DELETE /artists/3"], 400, "It must be a JSON object"],
    [{ method: "DELETE", url: "/artists/3" }, 422, "The body must be a JSON list"],
    [Array(101).fill({ method: "DELETE", url: "/artists/3" }), 422, "A batch may have 100 requests at most"],
  ])("that can't be is refused before anything is written [R-BATCH-2]: %#", async (requests, status, text) => {
    const service = await serve(musicSql);
    const answer = await send(service, requests);
    expect([answer.status, detail(answer)]).toEqual([status, expect.stringContaining(text)]);
    expect((await service.send("GET", "/artists/3")).status).toBe(200);
  });

  test("of 100 requests is taken [R-BATCH-1]", async () => {
    const service = await serve(musicSql);
    const requests = Array.from({ length: 100 }, (_, at) => ({
      ...{ method: "POST", url: "/artists", body: { id: 100 + at, name: `n ${at}` } },
      fields: { Prefer: "return=minimal" },
    }));
    const answer = await send(service, requests);
    expect([answer.status, partsOf(answer).length]).toEqual([200, 100]);
  });

  test("with an Idempotency-Key is carried out once, and answered again [R-BATCH-4]", async () => {
    const service = await serve(musicSql);
    const once = { "Idempotency-Key": '"b"' };
    const requests = [{ method: "POST", url: "/artists", body: { name: "Low" } }];
    const first = await send(service, requests, once);
    const again = await send(service, requests, once);
    expect([again.status, again.text, again.fields]).toEqual([first.status, first.text, first.fields]);
    const other = await send(service, [...requests, ...requests], once);
    expect([other.status, (other.json as { request?: number }).request]).toEqual([422, undefined]);
    // One that was refused leaves its key free.
    const free = { "Idempotency-Key": '"c"' };
    expect((await send(service, [{ method: "DELETE", url: "/artists/99" }], free)).status).toBe(404);
    expect((await send(service, [{ method: "DELETE", url: "/artists/4" }], free)).status).toBe(200);
  });

  test("whose rule fails at the commit writes nothing", async () => {
    const service = await serve(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED)",
    );
    const child = { method: "POST", url: "/b", body: { id: 1, a: 7 } };
    const parent = { method: "POST", url: "/a", body: { id: 7 } };
    const other = { method: "POST", url: "/a", body: [{ id: 1 }, { id: 2 }] };
    const answer = await send(service, [other, { ...child, body: [{ id: 2, a: 1 }, child.body] }, other]);
    expect(answer.status).toBe(409);
    const alone = await send(service, [other, { ...child, body: [{ id: 2, a: 1 }, child.body] }]);
    expect([alone.status, alone.json]).toMatchObject([409, { request: 1, errors: [{ field: "a" }] }]);
    expect(detail(alone)).toMatch(/^Request 2 of the batch: Record 2 of the list: A foreign key does not hold/);
    expect((await send(service, [child, other])).json).toMatchObject({ status: 409, request: 0 });
    expect((await service.send("GET", "/b")).json).toEqual({ b: [] });
    expect((await send(service, [child, parent])).status).toBe(200);
  });

  test("is below the base path, and so are its URLs [R-WK-5]", async () => {
    const service = await serve(musicSql, { basePath: "/api" });
    const requests = [{ method: "DELETE", url: "/api/artists/4" }];
    expect((await service.send("POST", path, requests)).status).toBe(404);
    expect((await service.send("POST", `/api${path}`, requests)).status).toBe(200);
    expect((await service.send("POST", `/api${path}`, [{ method: "DELETE", url: "/artists/3" }])).status).toBe(404);
  });

  test("is a POST of JSON, where anything can be written", async () => {
    const service = await serve(musicSql);
    const get = await service.send("GET", path);
    expect([get.status, get.field("Allow")]).toEqual([405, "POST"]);
    expect((await service.send("POST", path, "x=1", { "Content-Type": "text/plain" })).status).toBe(415);
    expect((await service.send("POST", path, "[", {})).status).toBe(400);
    const readOnly = await serve(musicSql, { only: ["read", "create"] });
    expect((await send(readOnly, [{ method: "DELETE", url: "/artists/4" }])).status).toBe(405);
    expect(service.scaffold.promises).toEqual(["idempotency-key", "batch"]);
  });

  test("stops where its answers have more bytes than an answer may have", async () => {
    const service = await serve(musicSql, { maxPageBytes: 1024 });
    const create = { method: "POST", url: "/artists", body: { name: "x".repeat(600) } };
    const other = { ...create, body: { name: "y".repeat(600) } };
    const answer = await send(service, [create, other]);
    expect([answer.status, detail(answer)]).toEqual([422, expect.stringContaining("more than 1024 bytes")]);
    expect((await service.send("GET", "/artists?id=gt.4")).json).toEqual({ artists: [] });
  });
});
