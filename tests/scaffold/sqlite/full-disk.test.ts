import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { serve, temporaryFolder } from "./service.ts";

/** A disk of so many megabytes; `undefined` where this process may not have one. */
function smallDisk(megabytes: number): string | undefined {
  const folder = temporaryFolder();
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", folder]);
  if (status !== 0) return undefined;
  onTestFinished(() => void spawnSync("umount", ["--lazy", folder]));
  return folder;
}

describe("A disk that is full", () => {
  test("refuses what has no room with a 507; all that was acknowledged is there, is followed, and what comes once there is room again", async ({
    skip,
  }) => {
    const disk = smallDisk(2);
    if (disk === undefined) return skip("only who may mount a small disk can fill it");
    const sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)";
    const { send, scaffold, errors } = await serve(sql, { path: join(disk, "notes.db") });
    let told = 0;
    scaffold.journal?.tail(({ changes }) => {
      told += changes.length;
    });
    const write = async (): Promise<number> => (await send("POST", "/notes", { text: "x".repeat(50_000) })).status;

    let acknowledged = 0;
    let status = await write();
    for (; status === 201; status = await write()) acknowledged += 1;
    expect([status, acknowledged > 5]).toEqual([507, true]);
    const { json } = await send("POST", "/notes", { text: "x".repeat(50_000) });
    expect(json).toMatchObject({ status: 507, detail: "There is no room left for the database." });
    expect(String(errors[0])).toContain("full");

    const count = async (): Promise<unknown> => (await send("GET", "/notes?select=count()")).json;
    expect(await count()).toEqual({ notes: [{ count: acknowledged }] });
    await expect.poll(() => told).toBe(acknowledged);

    spawnSync("mount", ["-o", "remount,size=8m", disk]);
    expect(await write()).toBe(201);
    expect(await count()).toEqual({ notes: [{ count: acknowledged + 1 }] });
    await expect.poll(() => told).toBe(acknowledged + 1);
  });
});
