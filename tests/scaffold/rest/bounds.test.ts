import { statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { musicSql, type Service, serve } from "./service.ts";

const kib = 1024;
const textSql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);";

/** Rows whose texts have so many characters each. */
function rowsSql(lengths: readonly number[], letter = "x"): string {
  return lengths.map((length) => `INSERT INTO notes (text) VALUES ('${letter.repeat(length)}');`).join("\n");
}

interface Page {
  readonly ids: number[];
  readonly next: string | undefined;
  readonly bytes: number;
}

async function page({ send }: Service, target: string): Promise<Page> {
  const answer = await send("GET", target);
  const { notes } = answer.json as { notes: { id: number }[] };
  const next = /<(.*)>; rel="next"/.exec(answer.field("Link") ?? "")?.[1];
  return { ids: notes.map(({ id }) => id), next, bytes: Buffer.byteLength(answer.text) };
}

describe("A page of a collection", () => {
  test.each(["x", "ä", "€"])(
    "ends by bytes as well, of letters like %s, and links lead to all of it",
    async (letter) => {
      const lengths = Array.from({ length: 40 }, (_, at) => 10 + ((at * 37) % 90));
      const service = await serve(textSql + rowsSql(lengths, letter), { maxPageBytes: kib });
      const found: number[] = [];
      for (let target: string | undefined = "/notes"; target !== undefined; ) {
        const { ids, next, bytes } = await page(service, target);
        expect(bytes).toBeLessThan(kib + 100);
        found.push(...ids);
        target = next;
      }
      expect(found).toEqual(lengths.map((_, at) => at + 1));
    },
  );

  test("has one record at least, whatever that holds", async () => {
    const service = await serve(textSql + rowsSql([10, 5 * kib, 5 * kib, 10]), { maxPageBytes: kib });
    expect(await page(service, "/notes")).toMatchObject({ ids: [1], next: "/notes?offset=1" });
    expect(await page(service, "/notes?offset=1")).toMatchObject({ ids: [2], next: "/notes?offset=2" });
    expect(await page(service, "/notes?offset=2")).toMatchObject({ ids: [3], next: "/notes?offset=3" });
    expect(await page(service, "/notes?offset=3")).toMatchObject({ ids: [4], next: undefined });
  });

  test("of 8 MiB by default is the same for conditions on the whole collection", async () => {
    const service = await serve(textSql + rowsSql([1]));
    service.other.exec(`INSERT INTO notes (text) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
      SELECT hex(zeroblob(500000)) FROM n`);
    const { ids, next } = await page(service, "/notes");
    expect([ids.length, next]).toEqual([9, "/notes?offset=9"]);
    const etag = (await service.send("GET", "/notes")).field("ETag") ?? "";
    expect((await service.send("POST", "/notes", { text: "y" }, { "If-Match": etag })).status).toBe(201);
  });

  test("that is cut by bytes is followed as a part, by asking again", async () => {
    const { send } = await serve(textSql + rowsSql([600, 600]), { maxPageBytes: kib });
    const answer = await send("GET", "/notes");
    expect([answer.view, answer.notLive]).toEqual([undefined, undefined]);
    expect(answer.field("Link")).toContain('rel="next"');
  });

  test.each([0, 1023, 1.5, 2 ** 40])("can't be bounded by %d bytes", async (maxPageBytes) => {
    await expect(serve(musicSql, { maxPageBytes })).rejects.toThrow(/maxPageBytes must be/);
  });
});

describe("The answer to a large write with an Idempotency-Key", () => {
  const key = { "Idempotency-Key": '"k"' };
  const large = { text: "y".repeat(100 * kib) };

  async function sent(): Promise<Service> {
    return serve(textSql + rowsSql([1]));
  }

  test.each([
    ["POST", "/notes"],
    ["PUT", "/notes/1"],
    ["PATCH", "/notes/1"],
  ])("to a %s is the same once more as long as the record is [R-WK-4]", async (method, target) => {
    const { send } = await sent();
    const first = await send(method, target, large, key);
    const second = await send(method, target, large, key);
    expect(second.text.length).toBeGreaterThan(100 * kib);
    expect([second.status, second.fields, second.text]).toEqual([first.status, first.fields, first.text]);
  });

  test.each([
    ["POST", "/notes", 201],
    ["PUT", "/notes/1", 204],
    ["PATCH", "/notes/1", 204],
  ])(
    "to a %s says the same without a body once the record has changed or gone [R-WK-4]",
    async (method, target, status) => {
      const { send } = await sent();
      const first = await send(method, target, large, key);
      const url = first.field("Content-Location") ?? "";
      const withoutType = first.fields.filter(([name]) => name !== "Content-Type");
      for (const change of ["PATCH", "DELETE"]) {
        await send(change, url, change === "PATCH" ? { text: "z" } : undefined);
        const second = await send(method, target, large, key);
        expect([second.status, second.fields, second.text]).toEqual([status, withoutType, ""]);
      }
    },
  );

  test("is not in the file a third time [R-WK-4]", async () => {
    const service = await sent();
    for (let at = 0; at < 10; at += 1) {
      await service.send("PUT", "/notes/1", large, { "Idempotency-Key": `"k${at}"` });
    }
    const [fields] = service.other
      .prepare("SELECT total(length(fields) + length(ifnull(body, ''))) AS bytes FROM _rocket_idempotency")
      .all();
    expect((fields as { bytes: number }).bytes).toBeLessThan(10 * kib);
    expect(statSync(service.path).size).toBeGreaterThan(0);
  });
});
