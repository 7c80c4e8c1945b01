import { describe, expect, it } from "vitest";
import { type Field, varyBy } from "../../src/protocol/index.ts";

describe("What an answer varies by", () => {
  it.each<[Field[], Field[]]>([
    [[], [["Vary", "Accept"]]],
    [[["Vary", "Accept-Encoding, Origin"]], [["Vary", "Accept"]]],
    [[["vary", "Prefer ,ACCEPT"]], []],
    [
      [
        ["Vary", "Origin"],
        ["Vary", "accept"],
      ],
      [],
    ],
    [[["Vary", "*"]], []],
  ])("is said once: %j", (fields, added) => {
    expect(varyBy(fields, "Accept")).toEqual([...fields, ...added]);
  });
});
