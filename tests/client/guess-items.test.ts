import { describe, expect, it } from "vitest";
import { guessItems, guessRecord } from "../../src/client/guess-items.ts";

describe("Where nothing says where records are", () => {
  it.each([
    ["a list at the top", [{ id: 1 }], "/a", { list: "", url: "/a/{id}" }],
    ["a list under the last segment", { a: [{ id: 1 }], other: [] }, "/v1/a?x=1", { list: "/a", url: "/v1/a/{id}" }],
    ["the only list", { total: 1, data: [{ _id: "x" }] }, "/a", { list: "/data", url: "/a/{_id}" }],
    ["a link of each row", { data: [{ id: 1, href: "/a/x1" }] }, "/a", { list: "/data", link: "/href" }],
    ["an empty list under the last segment", { a: [] }, "/a", { list: "/a", url: "/a/{id}" }],
    ["two rows of one key", { a: [{ id: 1 }, { id: 1 }] }, "/a", undefined],
    ["links beside the list", [{ id: 1, url: "/b/1" }], "/a", { list: "", link: "/url" }],
    ["links to other hosts", [{ url: "http://b.example/a/1" }], "/a", undefined],
    ["links to the list itself", [{ url: "/a/" }], "/a", undefined],
    ["an empty list of another name", { data: [] }, "/a", undefined],
    ["two lists", { b: [], c: [] }, "/a", undefined],
    ["no list", { id: 1 }, "/a/1", undefined],
  ])("%s is found", (_what, document, target, items) => {
    expect(guessItems(document, target)).toEqual(items);
  });

  it("a record is the body, or the only member of an envelope", () => {
    const items = { list: "/a", url: "/a/{id}" };
    expect(guessRecord({ record: { id: 1 } }, items, "/a/1")).toEqual({ id: 1 });
    expect(guessRecord({ id: 1 }, items, "/a/1")).toEqual({ id: 1 });
    expect(guessRecord({ record: { id: 1 }, other: 2 }, items, "/a/1")).toEqual({ record: { id: 1 }, other: 2 });
  });
});
