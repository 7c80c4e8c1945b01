import { expect, inject, it } from "vitest";
import { defects as clientDefects } from "../client/defects.ts";
import { leaks } from "../server/derived/leak-defects.ts";
import { defects } from "./defects.ts";
import { copyPatched, findPlace, removeCopy } from "./patched-system.ts";
import { sqlDefects } from "./sql-defects.ts";

const server = ["protocol", "filter", "server", "testing"];

// Most of them are played only with ROCKET_LONG.
it.each([
  ["hub", server, defects],
  ["derived views", server, leaks],
  ["scaffold", [...server, "scaffold"], sqlDefects],
  ["client", ["protocol", "filter", "client"], clientDefects],
] as const)("The seeded defects of the %s have a place in what is built", (name, layers, list) => {
  expect(inject("buildError")).toBe("");
  const folder = copyPatched(`places-${name.replace(" ", "-")}`, layers);
  try {
    expect(list.length).toBeGreaterThan(3);
    for (const defect of list) expect(findPlace(folder, defect).length, defect.name).toBeGreaterThan(0);
  } finally {
    removeCopy(folder);
  }
});
