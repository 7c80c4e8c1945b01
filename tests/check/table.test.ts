import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Requirements } from "../../src/check/index.ts";
import { serverCases } from "../../src/check/server/all-cases.ts";
import { watched } from "../../src/check/server/watched.ts";
import { unseenOfServers } from "../../src/check/unseen.ts";
import { definedIds } from "../protocol/requirements.ts";

const defined = definedIds(readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8"));
const cases = [...serverCases, ...watched];
const checked = new Set(cases.map(({ requirement }) => requirement));

describe("the cases against servers", () => {
  it("are about every requirement of PROTOCOL.md, or it is said why none can be", () => {
    expect(defined.filter((id) => !checked.has(id) && !(id in unseenOfServers))).toEqual([]);
  });

  it("are about none of which it is said that none can be", () => {
    expect(Object.keys(unseenOfServers).filter((id) => checked.has(id) || !defined.includes(id))).toEqual([]);
    expect(Object.values(unseenOfServers).filter((why) => why.length < 20)).toEqual([]);
  });

  it("name only requirements whose text the report can show", () => {
    const requirements = new Requirements();
    expect(requirements.ids).toEqual(defined);
    expect([...checked].filter((id) => requirements.textOf(id) === "")).toEqual([]);
    expect(requirements.textOf("R-L1-2")).toMatch(
      /^A server MUST NOT echo any other subprotocol\. .* Level 0 holds\.$/,
    );
  });

  it("have a title each, in each requirement", () => {
    const titles = cases.map(
      ({ requirement, title, ...one }) => `${requirement} ${"level" in one ? one.level : ""} ${title}`,
    );
    expect(titles.filter((title, at) => titles.indexOf(title) < at)).toEqual([]);
  });
});
