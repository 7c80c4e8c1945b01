import { createServer as createHttpServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { checkServer, hasFailed, type Report } from "../../src/check/index.ts";
import { attach } from "../../src/node/index.ts";
import { listen } from "../proxy/setting.ts";
import { createNotesApp } from "./notes-app.ts";
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

  it.each(["record", "nothing"] as const)(
    "finds and takes away what it has made where the answer to its POST has no Location, but: %s",
    { timeout: 60_000 },
    async (tells) => {
      const { server, url } = await listen(createHttpServer(createNotesApp({ hasLinks: true, tells })));
      const attachment = attach(server, { onError: () => {} });
      onTestFinished(() => attachment.close());
      const before = await (await fetch(`${url}/notes`)).text();
      const only = ["R-SUB-1", "R-SUB-4", "R-SUB-5", "R-SUB-9", "R-STR-12"];
      const report = await checkServer({ url: `${url}/notes`, write: "default", withSlow: false, only });
      expect(await (await fetch(`${url}/notes`)).text()).toBe(before);
      expect(report.results.filter(({ outcome }) => outcome.kind !== "passed")).toEqual([]);
      expect(report.notes).toHaveLength(1);
    },
  );

  it("names what it could not take away", { timeout: 60_000 }, async () => {
    const { server, url } = await listen(createHttpServer(createNotesApp({ hasLinks: false, tells: "nothing" })));
    const attachment = attach(server, { onError: () => {} });
    onTestFinished(() => attachment.close());
    const only = ["R-SUB-4"];
    const write = { method: "POST", target: "/notes", body: '{"text":"no text of its own"}' };
    const lost = await checkServer({ url: `${url}/notes`, write, withSlow: false, only });
    expect(lost.notes.at(-1)).toMatch(/^These records could not be deleted: one made by POST \/notes/);
    const keeping = await listen(createHttpServer(createNotesApp({ hasLinks: true, keepsNotes: true })));
    const other = attach(keeping.server, { onError: () => {} });
    onTestFinished(() => other.close());
    const kept = await checkServer({ url: `${keeping.url}/notes`, write: "default", withSlow: false, only });
    expect(kept.notes.at(-1)).toMatch(/^These records could not be deleted: \/notes\/3/);
  });

  it("takes a list that others change for no fault of the server", { timeout: 60_000 }, async () => {
    const { server, url } = await listen(createHttpServer(createNotesApp({ hasLinks: true })));
    const attachment = attach(server, { onError: () => {} });
    onTestFinished(() => attachment.close());
    let writes = 0;
    // Between the survey and the case, and once between its own requests.
    const change = (): void => {
      writes += 1;
      void fetch(`${url}/notes/1`, {
        method: "PATCH",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ text: `other ${writes}` }),
      });
    };
    const only = ["R-SUB-7"];
    const report = await checkServer({ url: `${url}/notes`, withSlow: false, only, onCase: change });
    // By a WebSocket, an event stream and an HTTP stream.
    expect(writes).toBe(6);
    expect(report.results.map(({ outcome }) => outcome.kind)).toEqual(Array.from({ length: 6 }, () => "passed"));
  });
});
