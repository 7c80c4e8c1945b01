import { describe, expect, it } from "vitest";
import { createProblem } from "../../src/protocol/index.ts";
import { serve } from "../scaffold/sqlite/service.ts";

interface Refused {
  readonly detail: string;
  readonly errors?: readonly { readonly field: string; readonly detail: string }[];
}

const sql =
  "CREATE TABLE notes (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, t TEXT); INSERT INTO notes VALUES (1,1,1,'')";
const object = (names: readonly string[]): string => `{${names.map((name) => `${JSON.stringify(name)}:1`).join(",")}}`;
const manyNames = Array.from({ length: 80_000 }, (_, at) => `n${at}`);

/** A table with more columns than an answer names. */
const wide = `CREATE TABLE wide (id INTEGER PRIMARY KEY, ${manyNames.slice(0, 1_500).join(", ")});`;

describe("a refusal [R-SEC-10]", () => {
  it.each([
    ["POST", "/notes"],
    ["PUT", "/notes/1"],
    ["PUT", "/notes/2"],
    ["PATCH", "/notes/1"],
  ])("of %s %s names 20 members, and says how many more are at fault", async (method, url) => {
    const { send } = await serve(sql);
    const refused = async (names: readonly string[]): Promise<Refused> => {
      const { status, json, text } = await send(method, url, object(names));
      expect(status).toBe(422);
      expect(text.length).toBeLessThan(20_000);
      return json as Refused;
    };
    const { errors, detail } = await refused(manyNames);
    expect(errors).toEqual(manyNames.slice(0, 20).map((field) => ({ field, detail: "There is no such column." })));
    const named = manyNames.slice(0, 20).join(", ");
    expect(detail).toBe(`The record can't be stored as sent: see ${named} and 79980 more.`);
    expect((await refused(manyNames.slice(0, 20))).detail).toBe(`The record can't be stored as sent: see ${named}.`);
    expect((await refused(manyNames.slice(0, 21))).detail).toMatch(/, n19 and 1 more\.$/);
    const long = await refused(["a", "\u0001", "😀"].map((text) => text.repeat(300_000 / text.length)));
    expect(long.errors?.map(({ field }) => field)).toEqual([
      `${"a".repeat(100)}…`,
      `${"\u0001".repeat(100)}…`,
      `${"😀".repeat(50)}…`,
    ]);
    const [half] = (await refused([`a${"😀".repeat(1_000)}`])).errors ?? [];
    expect(half?.field).toBe(`a${"😀".repeat(49)}…`);
  });

  it("repeats no more than the beginning of a URL, parameter, value or field", async () => {
    const { send, scaffold } = await serve(`${sql};${wide}`);
    const long = "x".repeat(500_000);
    const begin = "x".repeat(100);
    const urls = [
      ...[
        `/${long}`,
        `/notes/1/${long}`,
        `/notes/1?${long}`,
        `/notes?${long}=1`,
        `/notes?a=1&a=${long}`,
        `/notes?order=${long}`,
      ],
      ...[
        `/notes?limit=${long}`,
        `/notes?offset=${long}`,
        `/notes/%${long}`,
        `/notes?t=%${long}`,
        `/notes?a=%00${long}`,
      ],
      ...[`/notes?${long}=1&${long}=1`, `/wide?${long}`],
    ];
    for (const url of urls) {
      for (const method of ["GET", "DELETE"]) {
        const { status, text, json } = await send(method, url);
        expect([400, 404, 405], `${method} ${url.slice(0, 20)}`).toContain(status);
        expect(text.length, `${method} ${url.slice(0, 20)}`).toBeLessThan(1_000);
        expect((json as Refused).detail.includes(`${begin}x`)).toBe(false);
      }
    }
    const fields = [
      { "Content-Type": long },
      { "Content-Encoding": long },
      { "Idempotency-Key": long },
      { Accept: long },
    ];
    for (const more of [...fields, { "If-Match": long }]) {
      expect((await send("PATCH", "/notes/1", "{}", more)).text.length).toBeLessThan(1_000);
    }
    const { body } = await scaffold.origin({ method: long, target: "/notes", fields: [], body: "" });
    expect(body.length).toBeLessThan(1_000);
  });

  it("lists 20 columns of a table, and says how many more there are", async () => {
    const { send } = await serve(wide);
    const { detail } = (await send("GET", "/wide?none=1")).json as Refused;
    expect(detail).toBe(
      `There is no column "none"; there are id, ${manyNames.slice(0, 19).join(", ")} and ${1_501 - 20} more.`,
    );
  });

  it("is cut wherever it is made", () => {
    expect(createProblem(404, "x".repeat(3_000)).detail).toBe("x".repeat(3_000));
    expect(createProblem(404, "x".repeat(1_000_000)).detail).toBe(`${"x".repeat(3_000)}…`);
  });
});
