import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/server/index.ts";
import { type Answer, here, musicSql, type Service, serve } from "./service.ts";

/** Where the engine keeps answers, and its journal. */
const keyTable = here({ sqlite: "_rocket_idempotency", postgres: "rocket.answers" });
const journalTable = here({ sqlite: "_rocket_journal", postgres: "rocket.outbox" });

const key = (value: string): Record<string, string> => ({
  "Idempotency-Key": value.startsWith('"') ? value : JSON.stringify(value),
});

function seen({ status, text, fields }: Answer): unknown {
  return { status, text, fields };
}

async function count({ rows }: Service, table = "artists"): Promise<number> {
  return Number((await rows(`SELECT count(*) FROM ${table}`))[0]?.[0]);
}

describe("A repeat with an Idempotency-Key", () => {
  test.each([
    ["POST", "/artists", { name: "Cluster" }, 201],
    ["PUT", "/artists/70", { name: "Cluster" }, 201],
    ["PUT", "/artists/1", { name: "Cluster" }, 200],
    ["PATCH", "/artists/1", { name: "Cluster" }, 200],
    ["DELETE", "/artists/4", undefined, 204],
  ])("of a %s to %s gets the first answer, and writes nothing [R-WK-4]", async (method, target, body, status) => {
    const service = await serve(musicSql);
    const first = await service.send(method, target, body, key('"a b"'));
    await service.send("PATCH", "/artists/2", { genre: "x" });
    const rows = await count(service, journalTable);

    const second = await service.send(method, target, body, key('"a b"'));

    expect(first.status).toBe(status);
    expect(first.field("Event-ID")).toBeDefined();
    expect(seen(second)).toEqual(seen(first));
    expect(await count(service, journalTable)).toBe(rows);
    expect(await count(service, keyTable)).toBe(1);
  });

  test("shows the record as it was then, whatever became of it and of the conditions [R-WK-4]", async () => {
    const { send } = await serve(musicSql);
    const { ETag = "" } = Object.fromEntries((await send("GET", "/artists/1")).fields);
    const fields = { ...key("k"), "If-Match": ETag };
    const first = await send("PATCH", "/artists/1", { year: 1999 }, fields);
    await send("DELETE", "/albums/1");
    await send("DELETE", "/artists/1");

    expect(seen(await send("PATCH", "/artists/1", { year: 1999 }, fields))).toEqual(seen(first));
  });

  test.each([
    ["another body", "POST", "/artists", { name: "La Düsseldorf" }, {}],
    ["another URL", "POST", "/albums", { name: "Cluster" }, {}],
    ["another method", "PUT", "/artists/5", { name: "Cluster" }, {}],
    ["another type", "POST", "/artists", { name: "Cluster" }, { "Content-Type": "application/json; charset=utf-8" }],
  ])("of %s is 422, says so, and writes nothing [R-WK-4]", async (_, method, target, body, fields) => {
    const service = await serve(musicSql);
    await service.send("POST", "/artists", { name: "Cluster" }, key("k"));

    const answer = await service.send(method, target, body, { ...key("k"), ...fields });

    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ detail: expect.stringContaining("Idempotency-Key was used for another") });
    expect([await count(service), await count(service, "albums")]).toEqual([5, 2]);
  });

  test("in the same turn gets the first answer too", async () => {
    const service = await serve(musicSql);
    const post = () => service.send("POST", "/artists", { name: "Cluster" }, key("k"));

    const answers = await Promise.all([post(), post(), service.send("PATCH", "/artists/1", { year: 1999 }), post()]);

    const [first, second, , fourth] = answers as [Answer, Answer, Answer, Answer];
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 200, 201]);
    expect([seen(second), seen(fourth)]).toEqual([seen(first), seen(first)]);
    expect(new Set(answers.map((answer) => answer.field("Event-ID"))).size).toBe(1);
    expect(seen(await post())).toEqual(seen(first));
    expect(await count(service)).toBe(5);
  });

  test("after a restart gets the first answer", async () => {
    const service = await serve(musicSql);
    const first = await service.send("POST", "/artists", { name: "Cluster" }, key("k"));
    // Another process would find the database as this one does: the first scaffold has not been closed.
    const again = await service.again();

    const body = JSON.stringify({ name: "Cluster" });
    const fields = [["Content-Type", "application/json"] as const, ["idempotency-key", '"k"'] as const];
    const second = await again.origin({ method: "POST", target: "/artists", fields, body: Buffer.from(body) });

    expect([second.status, second.fields, second.body]).toEqual([first.status, first.fields, first.body]);
    expect(await count(service)).toBe(5);
  });

  test("is carried out where the table of keys was dropped, or is from before there was one", async () => {
    const service = await serve(musicSql);
    await service.send("POST", "/artists", { name: "Cluster" }, key("k"));
    await service.run(`DROP TABLE ${keyTable}`);

    const answers = [];
    for (const name of ["Cluster", "Harmonia", "Harmonia"]) {
      answers.push(await service.send("POST", "/artists", { name }, key(name)));
    }

    expect(answers.map(({ status }) => status)).toEqual([409, 201, 201]);
    expect(service.errors).toEqual([]);
  });
});

describe("A refusal", () => {
  test("leaves its key free for the corrected request", async () => {
    const service = await serve(musicSql);
    const post = (name: unknown) => service.send("POST", "/artists", { name }, key("k"));

    const answers = [await post("Can"), await post(null), await post("Cluster"), await post("Cluster")];

    expect(answers.map(({ status }) => status)).toEqual([409, 422, 201, 201]);
    expect(await count(service)).toBe(5);
  });

  test("at the commit leaves its key free too", async () => {
    const service = await serve({
      sqlite: `CREATE TABLE a (id INTEGER PRIMARY KEY);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a_id REFERENCES a DEFERRABLE INITIALLY DEFERRED)`,
      postgres: `CREATE TABLE a (id int PRIMARY KEY);
        CREATE TABLE b (id serial PRIMARY KEY, a_id int REFERENCES a DEFERRABLE INITIALLY DEFERRED)`,
    });
    const post = (target: string, body: object, name: string) => service.send("POST", target, body, key(name));

    const answers = await Promise.all([post("/b", { a_id: 7 }, "x"), post("/a", { id: 1 }, "y")]);

    expect(answers.map(({ status }) => status)).toEqual([409, 201]);
    expect((await post("/b", { a_id: 1 }, "x")).status).toBe(201);
    expect(await service.rows(`SELECT key FROM ${keyTable} WHERE event IS NOT NULL ORDER BY id`)).toEqual([
      ["y"],
      ["x"],
    ]);
  });
});

describe("An Idempotency-Key", () => {
  test.each(["", "a", "a b", "a,b", '"a', '"a"b', '""', '"\\a"', '"ä"', '"a", "b"', '"a";x=1', "x".repeat(256)])(
    "that is malformed is 400, which names the field: %s",
    async (value) => {
      const service = await serve(musicSql);
      const fields = [["Content-Type", "application/json"] as const, ["Idempotency-Key", value] as const];

      const { status, body } = await service.scaffold.origin({
        method: "POST",
        target: "/artists",
        fields,
        body: "{}",
      });

      expect([status, JSON.parse(String(body)).detail]).toEqual([400, expect.stringContaining("Idempotency-Key")]);
    },
  );

  test("that is given twice is 400", async () => {
    const { scaffold } = await serve(musicSql);
    const fields = ["a", "a"].map((value) => ["Idempotency-Key", value] as const);

    expect((await scaffold.origin({ method: "DELETE", target: "/artists/4", fields, body: "" })).status).toBe(400);
  });

  test.each([
    ['"6f1f5b8e-1d6a-4a0e-9a9c-8f1d4a2d9d11"', "6f1f5b8e-1d6a-4a0e-9a9c-8f1d4a2d9d11"],
    ['"a\\"\\\\b"', 'a"\\b'],
    [`"${"x".repeat(255)}"`, "x".repeat(255)],
  ])("is kept without what quotes it: %s", async (value, kept) => {
    const service = await serve(musicSql);
    await service.send("DELETE", "/artists/4", undefined, key(value));

    expect(await service.rows(`SELECT key FROM ${keyTable}`)).toEqual([[kept]]);
  });

  test("may be quoted once and bare the next time, and means nothing to a GET", async () => {
    const { send } = await serve(musicSql);

    const first = await send("DELETE", "/artists/4", undefined, key('"abc"'));

    expect(seen(await send("DELETE", "/artists/4", undefined, key("abc")))).toEqual(seen(first));
    expect((await send("GET", "/artists/1", undefined, key('"'))).status).toBe(200);
  });

  test("counts for 24 hours, and is forgotten then", async () => {
    let now = 1_700_000_000_000;
    const service = await serve(musicSql, { clock: { ...systemClock, wallTime: () => now } });
    const remove = () => service.send("DELETE", "/artists/4", undefined, key("k"));
    await remove();

    now += 24 * 3_600_000 - 1;
    expect((await remove()).status).toBe(204);
    now += 1;
    expect((await remove()).status).toBe(404);
    await service.send("PUT", "/artists/4", { name: "Faust" }, key("new"));

    expect(await service.rows(`SELECT key FROM ${keyTable}`)).toEqual([["new"]]);
  });

  test("that is used anew after 24 hours counts from then", async () => {
    let now = 1_700_000_000_000;
    const service = await serve(musicSql, { clock: { ...systemClock, wallTime: () => now } });
    const patch = (year: number) => service.send("PATCH", "/artists/4", { year }, key("k"));
    await patch(1971);
    now += 24 * 3_600_000;

    expect((await patch(1972)).status).toBe(200);
    now += 23 * 3_600_000;
    expect([(await patch(1972)).status, (await patch(1971)).status]).toEqual([200, 422]);
  });

  test("is one of 100,000 at most: the oldest go, a few with each new one", async () => {
    const service = await serve(musicSql);
    await service.run({
      sqlite: `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100015)
        INSERT INTO ${keyTable} (id, key, made) SELECT i, 'k' || i, 9e15 FROM n`,
      postgres: `INSERT INTO ${keyTable} (id, key, made) OVERRIDING SYSTEM VALUE
        SELECT i, 'k' || i, 9e15 FROM generate_series(1, 100015) i;
        SELECT setval(pg_get_serial_sequence('${keyTable}', 'id'), 100015)`,
    });
    const range = async () => (await service.rows(`SELECT min(id), count(*) FROM ${keyTable}`))[0]?.map(Number);

    await service.send("PATCH", "/artists/1", { year: 1971 }, key("a"));
    expect(await range()).toEqual([11, 100_006]);
    await service.send("PATCH", "/artists/1", { year: 1972 }, key("b"));
    expect(await range()).toEqual([18, 100_000]);
    await service.send("PATCH", "/artists/1", { year: 1973 }, key("c"));
    expect(await range()).toEqual([19, 100_000]);
  });
});

describe("The table of keys", () => {
  test("is no collection, and no change of it is followed", async () => {
    const service = await serve(musicSql);
    const head = service.scaffold.journal?.head;
    await service.send("PATCH", "/artists/1", {}, key("k"));

    expect((await service.send("GET", `/${keyTable}`)).status).toBe(404);
    expect((await service.scaffold.collections()).map(({ path }) => path)).toEqual(["/artists", "/albums"]);
    await service.scaffold.journal?.poll();
    expect(service.scaffold.journal?.head).toEqual(head);
  });
});

describe("The promise of idempotency keys", () => {
  test.each([
    [{}, ["idempotency-key", "batch"]],
    [{ only: ["create"] as const }, ["idempotency-key", "batch"]],
    [{ only: ["read", "subscribe"] as const }, []],
    [{ readOnly: true }, []],
  ])("is given where something can be written: %j", async (options, promises) => {
    const { scaffold } = await serve(musicSql, options);

    expect(scaffold.promises).toEqual(promises);
  });
});

describe("Requests of any kind with few keys", () => {
  const request = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    method: fc.constantFrom("POST", "PATCH"),
    year: fc.constantFrom(900, 1971, 1972),
  });

  test("are each carried out once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(request, { maxLength: 4 }), { maxLength: 5 }), async (groups) => {
        const { send, rows, scaffold } = await serve({
          sqlite: "CREATE TABLE t (id INTEGER PRIMARY KEY, year CHECK (year > 1000))",
          postgres: "CREATE TABLE t (id serial PRIMARY KEY, year int CHECK (year > 1000))",
        });
        const first = new Map<string, { what: string; answer: Answer }>();
        let created = 0;
        for (const group of [[{ key: "start", method: "POST", year: 2000 }], ...groups]) {
          const answers = await Promise.all(
            group.map((one) =>
              send(one.method, one.method === "POST" ? "/t" : "/t/1", { year: one.year }, key(one.key)),
            ),
          );
          for (const [at, one] of group.entries()) {
            const answer = answers[at] as Answer;
            const what = JSON.stringify([one.method, one.year]);
            const known = first.get(one.key);
            if (known?.what === what) expect(seen(answer)).toEqual(seen(known.answer));
            else if (known || one.year < 1000) expect(answer.status).toBe(422);
            else {
              expect(answer.status).toBe(one.method === "POST" ? 201 : 200);
              first.set(one.key, { what, answer });
              if (one.method === "POST") created += 1;
            }
          }
        }
        expect(await rows("SELECT id FROM t")).toHaveLength(created);
        await scaffold.close();
      }),
      { numRuns: here({ sqlite: 40, postgres: 5 }), seed: 8 },
    );
  });
});
