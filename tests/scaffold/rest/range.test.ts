import { describe, expect, test } from "vitest";
import { musicSql, serve } from "./service.ts";

describe("A GET with Range", () => {
  test.each([
    [{ Range: "items=1-2" }, "", "/artists?limit=2&offset=1", "items 1-2/*"],
    [{ Range: "1-2", "Range-Unit": "items" }, "", "/artists?limit=2&offset=1", "items 1-2/*"],
    [{ Range: "2-" }, "", "/artists?offset=2", "items 2-3/*"],
    [{ Range: "0-0", Prefer: "count=exact" }, "?order=name.desc", "/artists?order=name.desc&limit=1", "items 0-0/4"],
    [{ Range: "7-9" }, "", "/artists?limit=3&offset=7", undefined],
    [{ Range: "0-1" }, "?select=name", "/artists?limit=2&select=name", "items 0-1/*"],
  ])("%o of /artists%s is %s", async (fields, query, url, range) => {
    const { send } = await serve(musicSql);
    const answer = await send("GET", `/artists${query}`, undefined, fields);
    const itself = await send("GET", url, undefined, "Prefer" in fields ? { Prefer: "count=exact" } : {});
    expect([answer.status, answer.text, answer.field("Link")]).toEqual([200, itself.text, itself.field("Link")]);
    expect([answer.field("Content-Location"), answer.field("Content-Range")]).toEqual([
      (await send("GET", url)).url ?? url,
      range,
    ]);
    expect(answer.field("Vary")).toContain("Range");
    expect(answer.url).toBe(itself.url);
  });

  test.each([
    [{ Range: "bytes=0-9" }, ""],
    [{ Range: "0-9", "Range-Unit": "bytes" }, ""],
    [{ Range: "2-1" }, ""],
    [{ Range: "items=0-1,3-3" }, ""],
    [{ Range: "0-0" }, "?limit=3"],
    [{ Range: "0-0" }, "?page=1"],
    [{ Range: "0-0" }, "?after="],
  ])("%o of /artists%s counts for nothing", async (fields, query) => {
    const { send } = await serve(musicSql);
    const answer = await send("GET", `/artists${query}`, undefined, fields);
    const plain = await send("GET", `/artists${query}`);
    expect([answer.status, answer.text, answer.field("Content-Range")]).toEqual([200, plain.text, undefined]);
  });
});
