import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { situations } from "../../src/check/client/all-situations.ts";
import { watchedOfClients } from "../../src/check/client/watched.ts";
import { formatReport, Requirements } from "../../src/check/index.ts";
import { serverCases } from "../../src/check/server/all-cases.ts";
import { watched } from "../../src/check/server/watched.ts";
import { unseenOfClients, unseenOfServers } from "../../src/check/unseen.ts";
import { definedIds } from "../protocol/requirements.ts";

const defined = definedIds(readFileSync(new URL("../../PROTOCOL.md", import.meta.url), "utf8"));
const cases = [...serverCases, ...watched];
const checked = new Set(cases.map(({ requirement }) => requirement));

/** Requirements that bind servers only, by their area and numbers. */
const ofServersOnly: Readonly<Record<string, readonly number[]>> = {
  L0: [1, 2, 4, 5, 6, 7],
  L1: [1, 2, 4, 5, 6],
  POS: [1, 3, 4, 6, 8],
  FLD: [1, 2, 7, 8, 9, 11, 15],
  SUB: [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 18],
  RES: [2, 3, 4, 6, 7],
  DER: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  BAND: [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 19, 20],
  WK: [1, 2, 3, 6, 7],
  BATCH: [1, 2, 3, 4],
  HB: [1, 4, 5],
  CLOSE: [4, 6],
  DELTA: [1, 2, 6, 7],
  SEC: [1, 2, 4, 5, 6, 7, 9, 10],
  H2: [1, 2, 3, 4],
};

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
      /^A server MUST NOT echo any other subprotocol\. .* apply to that connection\.$/,
    );
  });

  it("are in the report for a person, each with its failure", () => {
    const outcome = { kind: "failed", expected: "x", came: "y", transcript: [] } as const;
    const results = [...cases, ...situations].map((one) => ({ ...one, outcome }));
    const report = formatReport({ subject: "", notes: [], unseen: {}, results }, new Requirements());
    const shown = [...report.matchAll(/^ {2}(?:FAILED |warning) \[([^\]]+)\]/gm)].map(([, id]) => id);
    expect(shown.sort()).toEqual(results.map(({ requirement }) => requirement).sort());
  });

  it("have a title each, in each requirement", () => {
    const titles = cases.map(
      ({ requirement, title, ...one }) => `${requirement} ${"level" in one ? one.level : ""} ${title}`,
    );
    expect(titles.filter((title, at) => titles.indexOf(title) < at)).toEqual([]);
  });
});

describe("the situations for clients", () => {
  const played = new Set([...situations, ...watchedOfClients].map(({ requirement }) => requirement));
  const ofServers = Object.entries(ofServersOnly).flatMap(([area, numbers]) =>
    numbers.map((number) => `R-${area}-${number}`),
  );

  it("are about every requirement of PROTOCOL.md that binds clients, or it is said why none can be", () => {
    const sorted = [...[...played].filter((id) => id.startsWith("R-")), ...Object.keys(unseenOfClients), ...ofServers];
    expect(defined.filter((id) => sorted.filter((other) => other === id).length !== 1)).toEqual([]);
    expect(sorted.filter((id) => !defined.includes(id))).toEqual([]);
  });

  it("are about each requirement that is left to them by the cases against servers", () => {
    const left = Object.entries(unseenOfServers).filter(([, why]) => why.includes("--client"));
    expect(left.map(([id]) => id).filter((id) => !played.has(id))).toEqual([]);
  });

  it("have names that are parts of URLs, and the text of each requirement", () => {
    const names = situations.map(({ name }) => name);
    expect(names.filter((name, at) => !/^[a-z0-9-]+$/.test(name) || names.indexOf(name) < at)).toEqual([]);
    const requirements = new Requirements();
    expect([...played].filter((id) => requirements.textOf(id) === "")).toEqual([]);
  });
});
