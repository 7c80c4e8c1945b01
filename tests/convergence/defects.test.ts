import { afterAll, describe, expect, inject, it } from "vitest";
import { type Defect, defects } from "./defects.ts";
import { copyPatched, loadSystem, removeCopy } from "./patched-system.ts";
import { runSeed } from "./runner.ts";

const layers = ["protocol", "server", "testing"] as const;
const goodSeeds = 40;
/** A defect that takes more seeds than this to be seen counts as not seen. */
const maxSeeds = 250;
const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) removeCopy(folder);
});

function copy(name: string, defect?: Defect): string {
  const folder = copyPatched(name, layers, defect);
  folders.push(folder);
  return folder;
}

/** Runs seeds until the promise is reported as broken; gives what was reported. */
async function catchDefect(defect: Defect, nth: number): Promise<string> {
  const system = await loadSystem(copy(`defect-${nth}`, defect));
  const others = new Set<string>();
  for (let seed = 1; seed <= maxSeeds; seed += 1) {
    const { violations } = await runSeed(system, seed);
    const caught = violations.find((violation) => violation.startsWith(`${defect.breaks} `));
    if (caught) return caught;
    for (const violation of violations) others.add(violation.slice(0, 3));
  }
  return `not seen in ${maxSeeds} seeds, but ${[...others].join() || "nothing"}`;
}

describe("The built package", () => {
  it("keeps its promises where nothing is changed", async () => {
    expect(inject("buildError")).toBe("");
    const system = await loadSystem(copy("none"));
    const found: string[] = [];
    for (let seed = 1; seed <= goodSeeds; seed += 1) found.push(...(await runSeed(system, seed)).violations);
    expect(found).toEqual([]);
  });

  it.each(defects.map((defect, nth) => [defect.name, defect.breaks, defect, nth] as const))(
    "is caught where %s: %s",
    { timeout: 60_000 },
    async (_name, breaks, defect, nth) => {
      expect(await catchDefect(defect, nth)).toMatch(new RegExp(`^${breaks} `));
    },
  );
});

describe("A patch", () => {
  it("fails where its place is not there exactly once", () => {
    const patch = { file: "server/hub.js", find: "there is no such text", replace: "" };
    expect(() => copy("absent", { ...patch, name: "", breaks: "P1" })).toThrow(/has 0 places, not one/);
    expect(() => copy("twice", { ...patch, find: "this.", name: "", breaks: "P1" })).toThrow(/places, not one/);
  });
});
