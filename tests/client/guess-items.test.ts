import { expect, it } from "vitest";
import { guessRecord } from "../../src/client/guess-items.ts";

it("Where nothing says where a record is, it is the body, or the only member of an envelope [R-L0-9]", () => {
  const items = { list: "/a", url: "/a/{id}" };
  expect(guessRecord({ record: { id: 1 } }, items, "/a/1")).toEqual({ id: 1 });
  expect(guessRecord({ id: 1 }, items, "/a/1")).toEqual({ id: 1 });
  expect(guessRecord({ record: { id: 1 }, other: 2 }, items, "/a/1")).toEqual({ record: { id: 1 }, other: 2 });
});
