import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { readNumber, readText } from "../../src/page/edit/value-input.ts";
import { base64Bytes, cellText, changedMembers, formatBytes } from "../../src/page/rows/cell-text.ts";
import { guessCollection } from "../../src/page/schema.ts";
import { suggestChange } from "../../src/page/suggest-change.ts";

describe("a cell", () => {
  it("tells NULL from the empty text", () => {
    expect(cellText(null, { kind: "text" })).toEqual({ text: "NULL", look: "null" });
    expect(cellText("", { kind: "text" })).toEqual({ text: "empty", look: "empty" });
    expect(cellText("NULL", { kind: "text" })).toEqual({ text: "NULL", look: "text" });
  });

  it("shows each kind as what it is", () => {
    expect(cellText(3, { kind: "number" })).toEqual({ text: "3", look: "number" });
    expect(cellText("9007199254740993", { kind: "number" })).toEqual({ text: "9007199254740993", look: "number" });
    expect(cellText({ a: [1] }, { kind: "json" })).toEqual({ text: '{"a":[1]}', look: "json" });
    expect(cellText("AAAA", { kind: "bytes" })).toEqual({ text: "3 B", look: "bytes" });
    expect(cellText("x".repeat(1_000), { kind: "text" }).text).toHaveLength(241);
  });

  it("says how large bytes are", () => {
    expect([base64Bytes("AA=="), base64Bytes("AAA="), formatBytes(1_234_567)]).toEqual([1, 2, "1.2 MB"]);
  });

  it("knows what has changed in a row", () => {
    expect(changedMembers({ a: 1, b: { c: 1 }, d: 2 }, { a: 1, b: { c: 2 }, e: 3 })).toEqual(["b", "d", "e"]);
  });
});

describe("what is typed", () => {
  it.each([
    ["12", { value: 12 }],
    [" -1.5 ", { value: -1.5 }],
    ["9007199254740993", { value: "9007199254740993" }],
    ["1e3", { value: 1_000 }],
    ["0.1234567890123456789", { value: "0.1234567890123456789" }],
    ["", { trouble: "This is no number." }],
    ["0x10", { trouble: "This is no number." }],
  ])("is read as a number: %s", (text, reading) => {
    expect(readNumber(text)).toEqual(reading);
  });

  it("is read as its column's kind", () => {
    expect(readText({ kind: "boolean" }, "false")).toEqual({ value: false });
    expect(readText({ kind: "json" }, '{"a":null}')).toEqual({ value: { a: null } });
    expect(readText({ kind: "json" }, "{")).toEqual({ trouble: expect.stringMatching(/^This is no JSON: ./) });
    expect(readText({ kind: "text" }, "12")).toEqual({ value: "12" });
  });
});

describe("where nobody tells a schema", () => {
  it("columns are those that rows have", () => {
    const { columns } = guessCollection("/posts", [
      { id: 1, note: null },
      { id: 2, note: true, tags: [] },
    ]);
    expect(columns.map(({ name, kind }) => [name, kind])).toEqual([
      ["id", "number"],
      ["note", "boolean"],
      ["tags", "json"],
    ]);
  });
});

describe("the change that is suggested", () => {
  const may = ["read", "update"] as const;
  const columns = [
    { name: "id", type: "INTEGER", kind: "number", nullable: false, generated: false, may },
    {
      name: "artist_id",
      type: "",
      kind: "number",
      nullable: false,
      generated: false,
      may,
      references: { url: "/a", column: "id" },
    },
    { name: "order", type: "TEXT", kind: "text", nullable: false, generated: false, may },
  ] as const;
  const methods = { collection: [], record: [] };
  const info = { name: "albums", url: "/albums", record: "album", key: ["id"], columns, unread: [], methods };

  it("touches no key and no reference, and is quoted for a shell", () => {
    const row = { id: 1, artist_id: 2, order: "it's $HOME" };
    expect(suggestChange(info, row, "/albums/1", "sqlite3 music.db")).toEqual({
      method: "PATCH",
      target: "/albums/1",
      body: '{"order":"it\'s $HOME*"}',
      shell: "sqlite3 music.db \"UPDATE albums SET \\\"order\\\" = 'it''s \\$HOME*' WHERE id = 1\"",
    });
  });

  it("is in single quotes where a shell would look a mark between double ones up in its history", () => {
    const keyed = { ...info, key: ["code"], columns: [columns[2]] };
    const { shell = "" } = suggestChange(keyed, { code: "a!b", order: "it's" }, "/albums/1", "sqlite3 a.db") ?? {};
    expect(shell.startsWith("sqlite3 a.db '")).toBe(true);
    const sql = execFileSync("sh", ["-c", shell.replace("sqlite3 a.db", "printf %s")], { encoding: "utf8" });
    expect(sql).toBe(`UPDATE albums SET "order" = 'it''s*' WHERE code = 'a!b'`);
  });

  it("takes itself back the next time, and is none where nothing can be changed", () => {
    expect(suggestChange(info, { id: 1, order: "a*" }, "/albums/1", undefined)?.body).toBe('{"order":"a"}');
    expect(suggestChange({ ...info, columns: [columns[0]] }, { id: 1 }, "/albums/1", undefined)).toBeUndefined();
  });
});
