import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";

/** A Node that has `node:sqlite`: this one, or the one that ROCKET_NODE_22 names; where there is none, a line says so. */
function findNode(): string | undefined {
  const has = (file: string): boolean => spawnSync(file, ["-e", "require('node:sqlite')"]).status === 0;
  const found = [process.env.ROCKET_NODE_22, process.execPath].find((file) => file !== undefined && has(file));
  if (found === undefined) {
    console.log(
      "The cases on node:sqlite are skipped: ROCKET_NODE_22 must name a Node 22 (npm i --prefix DIR node@22).",
    );
  }
  return found;
}

const node = findNode();

const big = {
  id: "9007199254740993",
  i: "-9223372036854775808",
  r: 1e300,
  b: "AP8=",
  x: "9223372036854775807",
  s: "ü😀",
};

/** What each case gives, whatever the driver. */
const expected = {
  values: [
    [{ id: 7, i: null, r: Number.POSITIVE_INFINITY, b: "", x: 0, s: "" }, big],
    [200, big],
    [201, { id: "9007199254740994", i: "9007199254740995", r: null, b: "AAE=", x: null, s: "x" }],
  ],
  "double-quoted strings": [
    [201, { id: 1, a: "x", b: "it" }],
    [200, [{ id: 1, what: "hello" }]],
    [200, [{ id: 1, a: "x", b: "it" }]],
    { isLive: true, errors: [] },
  ],
  busy: [true, 201],
  constraints: [
    [409, "There is a record with this value already."],
    [422, "A value is missing that must be there."],
    [422, 'The record breaks the rule "small" of the database.'],
    [409, "A foreign key does not hold: a record that this one names is missing."],
    [422, "The record can't be stored as sent: see n."],
    [422, "kept for ever"],
  ],
  journal: [
    ["create /t/9007199254740993", "update /t/9007199254740993", "delete /t/9007199254740993", "create /t/3"],
    [
      { id: "9007199254740993", a: "AA==", b: "a" },
      { id: "9007199254740993", a: "AA==", b: "9223372036854775807" },
      { id: 3, a: 1, b: 1 },
    ],
    ["undefined undefined", "string a", "bigint 9223372036854775807", "undefined undefined"],
    0,
  ],
  additions: [[201, { id: 1, a: "x!" }], "extension-failed"],
  "ended reads": ["enough", 1000, 1000, "enough", 1000, 1000, [200, [{ id: 7, n: 7 }]], 400],
  order: [
    [-5, 7, "999999999999999998", "1000000000000000000"],
    ["999999999999999998", "1000000000000000000", -5, 7],
  ],
};

describe.each([
  { driver: "better-sqlite3", name: "BetterSqliteConnection", file: process.execPath },
  { driver: "node:sqlite", name: "NodeSqliteConnection", file: node },
])("The built scaffold over $driver", ({ driver, name, file }) => {
  const isThere = file !== undefined && (driver === "node:sqlite" || process.versions.node.startsWith("20."));

  it.skipIf(!isThere)("keeps values, rules, the journal and other programs' SQL as they are", () => {
    expect(inject("buildError")).toBe("");
    const folder = mkdtempSync(join(tmpdir(), "rocket-drivers-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const run = spawnSync(file ?? "", ["tests/scaffold/sqlite/driver-cases.js", driver, folder], { encoding: "utf8" });
    expect([run.status, run.stderr]).toEqual([0, ""]);
    expect(JSON.parse(run.stdout, (_key, value) => (value === "Infinity" ? Number.POSITIVE_INFINITY : value))).toEqual({
      driver: name,
      ...expected,
    });
  });
});
