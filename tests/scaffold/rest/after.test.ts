import { describe, expect, it } from "vitest";
import { nextLink } from "../../../src/protocol/index.ts";
import { here, musicSql, type Service, serve } from "./service.ts";

/** All parts from a URL on: what `take` makes of each answer. */
async function parts<Part>(
  { send }: Service,
  target: string,
  take: (text: string) => Part,
  fields: Record<string, string> = {},
): Promise<Part[]> {
  const found: Part[] = [];
  for (let next: string | undefined = target; next !== undefined; ) {
    const answer = await send("GET", next, undefined, fields);
    expect([next, answer.status]).toEqual([next, 200]);
    found.push(take(answer.text));
    next = nextLink(answer.fields);
  }
  return found;
}

const idsOf = (text: string): number[] => (JSON.parse(text) as { t: { id: number }[] }).t.map(({ id }) => id);

const table = here({
  sqlite: `CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n INTEGER, d DATE, b BOOLEAN, "after" TEXT)`,
  postgres: `CREATE TABLE t (id integer PRIMARY KEY, name text COLLATE "C", n numeric, d timestamptz, b boolean, "after" text)`,
});
const rows = `INSERT INTO t (id, name, n, d, b) VALUES (1, 'a', 1, '2024-01-01T00:00:00+00:00', true), (2, NULL, 2.5, NULL, false),
  (3, 'null', NULL, '2023-01-01T00:00:00+00:00', NULL), (4, 'a,"b)', -1, NULL, true), (5, '', 2.5, '2023-01-01T00:00:00+00:00', false), (6, NULL, NULL, NULL, NULL), (7, 'a', 1, NULL, true)`;

describe("Parts by key", () => {
  it.each([
    "order=id",
    "order=id.desc",
    ...["name", "n", "d", "b", "b.desc,name"].flatMap((order) => [`order=${order}`, `order=${order}.desc`]),
    "order=name,n.desc",
    "order=name.nullslast",
    "order=name.nullsfirst",
    "order=n.desc.nullsfirst,name.desc",
    "n=not.is.null&order=name",
  ])("have each record once, in the order of the whole list: %s", async (query) => {
    const service = await serve(`${table}; ${rows}`);
    const whole = idsOf((await service.send("GET", `/t?${query}`)).text);
    for (const limit of [1, 2, 3]) {
      const found = await parts(service, `/t?${query}&limit=${limit}&after=`, idsOf);
      expect([limit, found.flat()]).toEqual([limit, whole]);
      expect(found.length).toBe(Math.ceil(whole.length / limit));
    }
  });

  it("do not shift under writes", async () => {
    const service = await serve(`${table}; ${rows}`);
    const first = await service.send("GET", "/t?limit=3&after=");
    expect(nextLink(first.fields)).toBe("/t?after=%283%29&limit=3");
    await service.run("DELETE FROM t WHERE id < 3");
    await service.run("INSERT INTO t (id) VALUES (0), (-1)");
    expect(await parts(service, nextLink(first.fields) ?? "", idsOf)).toEqual([[4, 5, 6], [7]]);
  });

  it("are what lines and CSV go on with by themselves, and JSON where it is asked for", async () => {
    const service = await serve(`${table}; ${rows}`, { maxRows: 3 });
    const links = async (target: string, accept: string) =>
      (await service.send("GET", target, undefined, { Accept: accept })).field("Link");
    expect(await links("/t", "text/csv")).toBe('</t?after=%283%29>; rel="next"');
    expect(await links("/t", "application/json")).toBe('</t?offset=3>; rel="next"');
    expect(await links("/t?after=(3)", "application/json")).toBe(
      '</t?after=>; rel="first", </t?after=%286%29>; rel="next"',
    );
    expect(await links("/t?offset=0&limit=3", "text/csv")).toBe('</t?limit=3&offset=3>; rel="next"');
    expect(await links("/t?per_page=2", "text/csv")).toContain("page=2");
    const lines = await parts(service, "/t", (text) => text.trim().split("\n").length, {
      Accept: "application/x-ndjson",
    });
    expect(lines).toEqual([3, 3, 1]);
  });

  it("count what the filter lets through, wherever they begin", async () => {
    const { send } = await serve(`${table}; ${rows}`);
    const range = async (target: string) =>
      (await send("GET", target, undefined, { Prefer: "count=exact" })).field("Content-Range");
    expect([await range("/t?limit=2&after="), await range("/t?limit=2&after=(5)")]).toEqual([
      "items 0-1/7",
      "items */7",
    ]);
  });

  it("are followed by asking again", async () => {
    const { send } = await serve(`${table}; ${rows}`);
    const answer = await send("GET", "/t?limit=2&after=(2)");
    expect([answer.url, answer.view, answer.field("Item-Order")]).toEqual([
      "/t?after=%282%29&limit=2",
      undefined,
      undefined,
    ]);
  });

  it.each([
    ["after=(1,2)", /a value for each .*: id/],
    ["after=1", /"\(" was expected/],
    ["after=(x)", /can't be compared with "x"/],
    ["after=&offset=1", /together with offset/],
    ["after=&page=2", /together with offset/],
    ["after=(1)&after=(2)", /more than once/],
    ["after=&select=id", /with select, use offset/],
  ])("are refused where they can't be: %s", async (query, detail) => {
    const { send } = await serve(`${table}; ${rows}`);
    const answer = await send("GET", `/t?${query}`);
    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([400, expect.stringMatching(detail)]);
  });

  it("leave a column of that name to a group", async () => {
    const { send, run } = await serve(`${table}; ${rows}`);
    await run(`UPDATE t SET "after" = 'x' WHERE id = 3`);
    const answer = await send("GET", "/t?and=(after.eq.x)");
    expect([idsOf(answer.text), answer.view?.url]).toEqual([[3], "/t?and=%28after.eq.x%29"]);
  });

  it("take no part in writes to several records", async () => {
    const { send } = await serve(musicSql);
    expect((await send("PATCH", "/artists?genre=rock&after=", { year: 2000 })).status).toBe(400);
  });
});
