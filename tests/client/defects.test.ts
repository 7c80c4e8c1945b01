import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { createClient } from "../../src/client/index.ts";
import { copyPatched, type FilePatch, removeCopy } from "../convergence/patched-system.ts";
import { type Defect, defects } from "./defects.ts";
import { run } from "./model.ts";
import { createPage } from "./page.ts";

/** A defect that takes more seeds than this to be seen counts as not seen. */
const maxSeeds = 400;
const page = createPage();
const folders: string[] = [];

beforeAll(() => page.open());

afterAll(() => {
  page.close();
  for (const folder of folders) removeCopy(folder);
});

async function loadClient(name: string, patch?: FilePatch): Promise<typeof createClient> {
  const folder = copyPatched(name, ["protocol", "filter", "client"], patch);
  folders.push(folder);
  const load = (file: string): Promise<object> => import(pathToFileURL(join(folder, "client", file)).href);
  const [face] = await Promise.all(
    ["index.js", "outbox.js", "fallback.js", "answers.js", "put-off.js", "spare-lanes.js"].map(load),
  );
  return (face as { createClient: typeof createClient }).createClient;
}

/** What is the matter first, in some seeds; empty where nothing is. */
async function firstTrouble(
  create: typeof createClient,
  most: number,
  { sees, way = "sockets" }: Pick<Defect, "sees" | "way">,
): Promise<string> {
  let other = "";
  for (let seed = 1; seed <= most; seed += 1) {
    const trouble = await run(seed, { createClient: create, way }).then(
      () => "",
      (error: Error) => error.message,
    );
    if (trouble !== "" && sees.test(trouble)) return trouble;
    other ||= trouble;
  }
  return other;
}

describe("The built client", () => {
  it("is what its server is where nothing is changed", async () => {
    expect(inject("buildError")).toBe("");
    expect(await firstTrouble(await loadClient("client-none"), 30, { sees: /./ })).toBe("");
  });

  it.each(defects.map((defect, nth) => [defect.name, nth, defect] as const))(
    "is caught where it %s",
    {
      timeout: 120_000,
    },
    async (_name, nth, defect) => {
      const create = await loadClient(`client-${nth}`, defect);
      expect(await firstTrouble(create, maxSeeds, defect)).toMatch(defect.sees);
    },
  );
});
