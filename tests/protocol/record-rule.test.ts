import { describe, expect, it } from "vitest";
import { guessRule, holdsRecord, itemsOfRule } from "../../src/protocol/index.ts";

describe("Where nothing says where records are", () => {
  it.each([
    ["a list at the top", [{ id: 1 }], "/a", { record: "", list: "", url: "/a/{id}" }],
    [
      "a list under the last segment",
      { a: [{ id: 1 }], other: [] },
      "/v1/a?x=1",
      { record: "", list: "/a", url: "/v1/a/{id}" },
    ],
    ["the only list", { total: 1, data: [{ _id: "x" }] }, "/a", { record: "", list: "/data", url: "/a/{_id}" }],
    ["a link of each row", { data: [{ id: 1, href: "/a/x1" }] }, "/a", { record: "", list: "/data", link: "/href" }],
    ["an empty list under the last segment", { a: [] }, "/a", { record: "", list: "/a", url: "/a/{id}" }],
    ["two rows of one key", { a: [{ id: 1 }, { id: 1 }] }, "/a", { record: "", list: "/a", url: "/a/{id}" }],
    ["a row without a key", { data: [{ id: 1 }, { n: 2 }] }, "/a", { record: "", list: "/data", url: "/a/{id}" }],
    ["a link that few rows have", [{ id: 1, url: "/b/1" }, { id: 2 }], "/a", { record: "", list: "", url: "/a/{id}" }],
    ["mostly rows without a key", { data: [{ id: 1 }, { n: 2 }, { n: 3 }] }, "/a", undefined],
    ["links of a record to other hosts", { images: [{ url: "http://b.example/1" }] }, "/a/1", undefined],
    ["links beside the list", [{ id: 1, url: "/b/1" }], "/a", { record: "", list: "", link: "/url" }],
    ["absolute links to this host", [{ url: "http://h/a/1" }], "/a", { record: "", list: "", link: "/url" }],
    ["links to other hosts", [{ url: "http://b.example/a/1" }], "/a", { record: "", list: "", link: "/url" }],
    ["links to the list itself", [{ url: "/a/" }], "/a", { record: "", list: "", link: "/url" }],
    [
      "keys beyond 2^53 beside links to elsewhere",
      { data: [{ id: 2 ** 60, url: "http://b.example/1" }] },
      "/a",
      { record: "", list: "/data", url: "/a/{id}" },
    ],
    ["rows without a key", [{ n: 1 }, { n: 2 }], "/a", undefined],
    ["an empty list of another name", { data: [] }, "/a", undefined],
    ["two lists", { b: [], c: [] }, "/a", undefined],
    ["no list", { id: 1 }, "/a/1", undefined],
  ])("%s is found", (_what, document, target, items) => {
    const rule = guessRule(document, target, "h");
    expect(rule && itemsOfRule(rule, target, true)).toEqual(items);
  });

  it("what a rule makes of keys has a fragment until a row was found there [R-FLD-12]", () => {
    const rule = guessRule([{ id: 1 }], "/pages/1/posts/?x=1", "h");
    expect(rule && itemsOfRule(rule, "/pages/1/posts/?x=1", false).url).toBe("/pages/1/posts#{id}");
  });
});

describe("What is found at a URL that was made of a row's key [R-FLD-12]", () => {
  const row = { uid: 7, title: "one", read: 3 };
  const rule = { list: "", pointer: "/uid", kind: "key" } as const;
  it.each<[string, unknown, boolean]>([
    ["the record", { uid: 7, title: "one", read: 3, text: "more" }, true],
    ["the record of a moment later", { uid: 7, title: "one", read: 4 }, true],
    ["the record in an envelope", { post: { uid: 7, title: "one" } }, true],
    ["nothing but its key", { uid: "7" }, true],
    ["something else of that key", { uid: 7, title: "the page", read: 0 }, false],
    ["another record", { uid: 8, title: "one", read: 3 }, false],
    ["a list", [{ uid: 7, title: "one" }], false],
    ["a text", "one", false],
  ])("%s: %#", (_what, document, isRecord) => {
    expect(holdsRecord(document, row, rule)).toBe(isRecord);
  });
});
