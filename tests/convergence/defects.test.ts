import { afterAll, describe, expect, inject, it } from "vitest";
import { type Defect, defects } from "./defects.ts";
import { copyPatched, loadSqlSystem, loadSystem, removeCopy } from "./patched-system.ts";
import { runSeed } from "./runner.ts";
import { sqlDefects } from "./sql-defects.ts";
import { runSqlSeed } from "./sql-runner.ts";

const layers = ["protocol", "filter", "server", "testing"] as const;
const sqlLayers = [...layers, "scaffold"] as const;
/** A defect that takes more seeds than this to be seen counts as not seen. */
const maxSeeds = 300;
const maxSqlSeeds = 20;
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) removeCopy(folder);
});

function copy(name: string, some: readonly string[], defect?: Defect): string {
  const folder = copyPatched(name, some, defect);
  folders.push(folder);
  return folder;
}

type RunSeed = (seed: number) => Promise<readonly string[]>;

/** Runs seeds until what the defect breaks is reported; gives that, or what was reported instead. */
async function catchDefect({ breaks }: Defect, most: number, run: RunSeed): Promise<string> {
  const others = new Set<string>();
  for (let seed = 1; seed <= most; seed += 1) {
    const violations = await run(seed);
    const caught = violations.find((violation) => violation.startsWith(`${breaks} `));
    if (caught !== undefined) return caught;
    for (const violation of violations) others.add(violation.slice(0, 60));
  }
  return `not seen in ${most} seeds, but ${[...others].join(", ") || "nothing"}`;
}

async function runAll(most: number, run: RunSeed): Promise<string[]> {
  const found: string[] = [];
  for (let seed = 1; seed <= most; seed += 1) found.push(...(await run(seed)));
  return found;
}

function cases(list: readonly Defect[]): (readonly [name: string, breaks: string, defect: Defect, nth: number])[] {
  return list.map((defect, nth) => [defect.name, defect.breaks, defect, nth] as const);
}

describe("The built hub", () => {
  it("keeps its promises where nothing is changed", async () => {
    expect(inject("buildError")).toBe("");
    const system = await loadSystem(copy("none", layers));
    expect(await runAll(40, async (seed) => (await runSeed(system, seed)).violations)).toEqual([]);
  });

  it.each(cases(defects))("is caught where %s: %s", { timeout: 120_000 }, async (_name, breaks, defect, nth) => {
    const system = await loadSystem(copy(`hub-${nth}`, layers, defect));
    const caught = await catchDefect(defect, maxSeeds, async (seed) => (await runSeed(system, seed)).violations);
    expect(caught).toMatch(new RegExp(`^${breaks} `));
  });
});

describe("The built scaffold", () => {
  it("keeps its promises where nothing is changed", async () => {
    const system = await loadSqlSystem(copy("no-sql", sqlLayers));
    expect(await runAll(4, (seed) => runSqlSeed(system, seed))).toEqual([]);
  });

  it.each(cases(sqlDefects))("is caught where %s: %s", { timeout: 120_000 }, async (_name, breaks, defect, nth) => {
    const system = await loadSqlSystem(copy(`sql-${nth}`, sqlLayers, defect));
    const caught = await catchDefect(defect, maxSqlSeeds, (seed) => runSqlSeed(system, seed));
    expect(caught).toMatch(new RegExp(`^${breaks} `));
  });
});

describe("A patch", () => {
  it("fails where its place is not there exactly once", () => {
    const patch = {
      in: "createHub",
      find: "there is no such text",
      replace: "",
      name: "",
      breaks: "P1",
    } as const;
    expect(() => copy("absent", layers, patch)).toThrow(/has 0 places, not one/);
    expect(() => copy("twice", layers, { ...patch, find: "options" })).toThrow(/has 2 places, not one/);
    expect(() => copy("nameless", layers, { ...patch, in: "absent" })).toThrow(/0 functions, not one/);
  });
});
