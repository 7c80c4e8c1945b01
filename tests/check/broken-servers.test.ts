import { describe, expect, it } from "vitest";
import { checkServer } from "../../src/check/index.ts";
import { watched } from "../../src/check/server/watched.ts";
import { brokenExtensions } from "./extension-faults.ts";
import { type BrokenServer, brokenServers as brokenSockets } from "./faults.ts";
import { frontOf } from "./front.ts";
import { ownServers } from "./servers.ts";
import { brokenStreams } from "./stream-faults.ts";

const brokenServers: readonly BrokenServer[] = [...brokenSockets, ...brokenStreams, ...brokenExtensions];

/** Cases that let every kind of message pass, for what is looked at in all of them. */
const traffic = ["R-SUB-5", "R-L1-5", "R-BAND-3", "R-BAND-4", "R-L0-2"];

const isWatched = new Set(watched.map((one) => one.requirement));

/** The requirements that a check finds broken, of the one that is broken and those that make the traffic. */
async function failedOf({ requirement, fault, of = "serve", isQuick = false }: BrokenServer): Promise<string[]> {
  const server = ownServers.find(({ name }) => name === of);
  const url = await frontOf((await server?.start()) ?? "", fault);
  const only = [requirement, ...(isWatched.has(requirement) ? traffic : [])];
  const { results } = await checkServer({ url, write: "default", only, patienceMs: 1_000, withSlow: !isQuick });
  return results.filter(({ outcome }) => outcome.kind === "failed").map((result) => result.requirement);
}

describe("the check", () => {
  it("finds nothing wrong with a server behind a front that spoils nothing", { timeout: 60_000 }, async () => {
    for (const of of ["serve", "attach"] as const) {
      const only = brokenServers
        .filter((broken) => (broken.of ?? "serve") === of)
        .map(({ requirement }) => requirement);
      const server = ownServers.find(({ name }) => name === of);
      const url = await frontOf((await server?.start()) ?? "", {});
      const { results } = await checkServer({ url, write: "default", only: [...only, ...traffic] });
      expect(results.filter(({ outcome }) => outcome.kind === "failed")).toEqual([]);
    }
  });

  it.each(brokenServers.map((broken) => [broken.what, broken.requirement, broken] as const))(
    "finds a server that %s by %s",
    { timeout: 60_000 },
    async (_what, requirement, broken) => {
      expect(await failedOf(broken)).toContain(requirement);
    },
  );
});
