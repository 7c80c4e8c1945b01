import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { fieldValue } from "../../../src/protocol/index.ts";
import { Command } from "../../cli/command.ts";
import { Follower } from "./follower.ts";

describe("an application in several processes of one cluster", () => {
  it("shows a follower in one what was written in the other, where they share their staleness", async () => {
    const folder = mkdtempSync(join(tmpdir(), "rocket-cluster-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "rows.json");
    writeFileSync(file, "[]");
    const app = new Command(process.execPath, [join(import.meta.dirname, "cluster-app.js"), file]);
    await app.until(({ stdout }) => stdout.includes("http://"));
    const url = app.stdout.trim();
    const follower = await new Follower(`${url.replace("http", "ws")}/rows`, {}).ready();
    const own = fieldValue(follower.messages[0]?.fields ?? [], "x-worker");
    const servers = new Set<string | null>();
    const rows: { id: number }[] = [];
    // Connections go to the processes in turn.
    for (let nth = 1; nth <= 2; nth += 1) {
      servers.add((await fetch(`${url}/rows`, { method: "POST" })).headers.get("x-worker"));
      rows.push({ id: nth });
      await follower.rows(rows);
    }
    expect(servers).toEqual(new Set(["1", "2"]));
    expect(own).toMatch(/^[12]$/);
  });
});
