import { describe, expect, it } from "vitest";
import { checkServer, hasFailed, type Report } from "../../src/check/index.ts";
import { ownServers } from "./servers.ts";

function requirementsOf({ results }: Report, kind: string): Set<string> {
  return new Set(results.filter(({ outcome }) => outcome.kind === kind).map(({ requirement }) => requirement));
}

describe("the check", () => {
  it.each(ownServers)("finds nothing wrong with $name", { timeout: 120_000 }, async ({ start, isFast, leftOut }) => {
    const report = await checkServer({ url: await start(), write: "default", withSlow: isFast });
    expect(report.results.filter(({ outcome }) => outcome.kind === "failed")).toEqual([]);
    expect(hasFailed(report)).toBe(false);
    const passed = requirementsOf(report, "passed");
    const never = [...requirementsOf(report, "skipped")].filter((requirement) => !passed.has(requirement));
    expect(never.sort()).toEqual([...leftOut].sort());
    expect(report.notes).toHaveLength(1);
  });

  it("writes nothing unless it is told to", { timeout: 60_000 }, async () => {
    const url = await ownServers[1]?.start();
    const before = await (await fetch(url ?? "")).text();
    const report = await checkServer({ url: url ?? "", withSlow: false });
    expect(await (await fetch(url ?? "")).text()).toBe(before);
    const sent = report.results.flatMap(({ outcome }) => (outcome.kind === "failed" ? outcome.transcript : []));
    expect(sent).toEqual([]);
  });

  it("leaves nothing behind that it has written", { timeout: 60_000 }, async () => {
    const url = await ownServers[1]?.start();
    const before = await (await fetch(url ?? "")).text();
    await checkServer({ url: url ?? "", write: "default", withSlow: false, only: ["R-SUB-5", "R-SUB-4", "R-SUB-1"] });
    expect(await (await fetch(url ?? "")).text()).toBe(before);
  });
});
