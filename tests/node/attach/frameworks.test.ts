import { describe, expect, it } from "vitest";
import { cases } from "./cases.ts";
import { frameworks } from "./frameworks.ts";
import { startSite } from "./site.ts";

describe.each(frameworks)("an application of $name, attached to", (framework) => {
  it.each(cases)("$id: $title", async ({ run, options }) => {
    const site = await startSite(framework, options);
    await run(site);
    expect(site.errors).toEqual([]);
  });
});
