import { describe, expect, test } from "vitest";
import { type EngineSql, here, serve } from "./service.ts";

/** A table with one record, changed at a time, or what stands for it. @param column - as SQL has it, on both engines */
function notes(column: EngineSql, value: string): EngineSql {
  const [sqlite, postgres] = typeof column === "string" ? [column, column] : [column.sqlite, column.postgres];
  return {
    sqlite: `CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, ${sqlite}); INSERT INTO notes VALUES (1, 'a', ${value})`,
    postgres: `CREATE TABLE notes (id int PRIMARY KEY, text text, ${postgres}); INSERT INTO notes VALUES (1, 'a', ${value})`,
  };
}

const usual = notes(
  { sqlite: "updated_at DATETIME DEFAULT CURRENT_TIMESTAMP", postgres: "updated_at timestamptz DEFAULT now()" },
  here({ sqlite: "'2024-05-01 10:00:00.900'", postgres: "'2024-05-01 12:00:00.900+02'" }),
);
const last = "Wed, 01 May 2024 10:00:00 GMT";
const before = "Wed, 01 May 2024 09:59:59 GMT";

describe("Last-Modified", () => {
  test("says what the column says, in GETs, HEADs and answers to writes", async () => {
    const { send } = await serve(usual);
    for (const [method, body] of [["GET"], ["HEAD"], ["PATCH", { text: "b" }]] as const) {
      expect((await send(method, "/notes/1", body)).field("Last-Modified")).toBe(last);
    }
    expect((await send("GET", "/notes")).field("Last-Modified")).toBeUndefined();
  });

  test.each([
    ["a name in another style", { sqlite: "lastModifiedAt TIMESTAMP", postgres: '"lastModifiedAt" timestamptz' }, true],
    ["a name that says something else", { sqlite: "created_at DATETIME", postgres: "created_at timestamptz" }, false],
    ["a column of text", { sqlite: "updated TEXT", postgres: "updated text" }, false],
  ])("is told by name and type: %s", async (_what, column, isTold) => {
    const { send } = await serve(notes(column, "'2024-05-01 10:00:00+00:00'"));
    expect((await send("GET", "/notes/1")).field("Last-Modified")).toBe(isTold ? last : undefined);
  });

  test.each([
    ["NULL", "NULL"],
    ["a moment to come", "'2999-01-01 00:00:00+00:00'"],
    ["no moment", here({ sqlite: "'soon'", postgres: "'infinity'" })],
  ])("is not there where the column has %s", async (_what, value) => {
    const { send } = await serve(notes({ sqlite: "updated_at DATETIME", postgres: "updated_at timestamptz" }, value));
    const answer = await send("GET", "/notes/1");
    expect([answer.status, answer.field("Last-Modified")]).toEqual([200, undefined]);
  });

  test("is not guessed where nobody says in which zone the time is", async () => {
    const { send } = await serve(
      notes({ sqlite: "updated_at DATETIME", postgres: "updated_at timestamp" }, "'2024-05-01 10:00:00'"),
    );
    expect((await send("GET", "/notes/1")).field("Last-Modified")).toBeUndefined();
  });

  test("is the latest of several", async () => {
    const { send } = await serve(
      notes(
        {
          sqlite: "updated TIMESTAMP, modified TIMESTAMP",
          postgres: "updated timestamptz, modified timestamptz",
        },
        "'2024-05-01T10:00:00+00:00', '2023-05-01T10:00:00+00:00'",
      ),
    );
    expect((await send("GET", "/notes/1")).field("Last-Modified")).toBe(last);
  });
});

describe("If-Modified-Since", () => {
  test.each([
    [last, 304],
    [before, 200],
    ["Wednesday, 01-May-24 10:00:00 GMT", 304],
    ["Wed May  1 10:00:00 2024", 304],
    ["Wed May  1 09:00:00 2024", 200],
    ["2024-05-01T10:00:00Z", 200],
    ["Wed, 01 May 2024 10:00:00 +0000", 200],
  ])("of %s is answered with %d", async (since, status) => {
    const { send } = await serve(usual);
    for (const method of ["GET", "HEAD"]) {
      const answer = await send(method, "/notes/1", undefined, { "If-Modified-Since": since });
      expect([answer.status, answer.field("Last-Modified")]).toEqual([status, last]);
      if (status === 304) expect([answer.text, answer.field("Content-Type")]).toEqual(["", undefined]);
    }
  });

  test("counts only where there is no If-None-Match, and for GET and HEAD alone", async () => {
    const { send } = await serve(usual);
    const known = { "If-Modified-Since": last };
    expect((await send("GET", "/notes/1", undefined, { ...known, "If-None-Match": '"x"' })).status).toBe(200);
    expect((await send("PATCH", "/notes/1", { text: "b" }, known)).status).toBe(200);
    expect((await send("GET", "/notes", undefined, known)).status).toBe(200);
  });
});

describe("If-Unmodified-Since", () => {
  test.each([
    ["GET", undefined, 200],
    ["PUT", { text: "b" }, 200],
    ["PATCH", { text: "b" }, 200],
    ["DELETE", undefined, 204],
  ] as const)("lets %s through where the record is as old", async (method, body, status) => {
    const { send } = await serve(usual);
    const late = await send(method, "/notes/1", body, { "If-Unmodified-Since": before });
    expect([late.status, (await send("GET", "/notes/1")).json]).toMatchObject([412, { note: { text: "a" } }]);
    expect((await send(method, "/notes/1", body, { "If-Unmodified-Since": last })).status).toBe(status);
  });

  test("counts only where there is no If-Match, and where something says when the record was changed", async () => {
    const { send } = await serve(usual);
    const etag = (await send("GET", "/notes/1")).field("ETag") ?? "";
    const both = { "If-Unmodified-Since": before, "If-Match": etag };
    expect((await send("PATCH", "/notes/1", { updated_at: null }, both)).status).toBe(200);
    expect((await send("PATCH", "/notes/1", { text: "b" }, { "If-Unmodified-Since": before })).status).toBe(200);
  });
});
