import { renameSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { pauseJournal } from "../../../src/scaffold/index.ts";
import { showPage } from "../away.ts";
import { serve } from "./service.ts";

const sql = "CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)";

describe("A page over a SQLite file", () => {
  it("that another program keeps locked says that what it shows may be older [R-HB-5]", async () => {
    const { scaffold, other } = await serve(`PRAGMA journal_mode = DELETE; ${sql}`);
    const page = await showPage(scaffold, "/t");
    await page.until("live", 1);

    other.exec("BEGIN EXCLUSIVE; INSERT INTO t VALUES (2)");
    await page.until("behind", 1);
    other.exec("COMMIT");
    await page.until("live", 2);

    expect(page.shown.slice(page.shown.indexOf("live 1"))).toEqual(["live 1", "behind 1", "behind 2", "live 2"]);
    expect(page.connections()).toBe(1);
  });

  it("that was moved away says so until it is back [R-HB-5]", async () => {
    const { scaffold, other, path } = await serve(sql);
    const page = await showPage(scaffold, "/t");
    await page.until("live", 1);

    renameSync(path, `${path}.away`);
    await page.until("behind", 1);
    renameSync(`${path}.away`, path);
    await page.until("live", 1);
    other.exec("INSERT INTO t VALUES (2)");
    await page.until("live", 2);

    expect(page.connections()).toBe(1);
  });

  it("that is migrated says so meanwhile [R-HB-5]", async () => {
    const { scaffold, other, path } = await serve(sql);
    const page = await showPage(scaffold, "/t");
    await page.until("live", 1);

    const paused = await pauseJournal(path);
    other.exec("INSERT INTO t VALUES (2)");
    await page.until("behind", 1);
    await paused.resume();
    await page.until("live", 2);

    expect(page.connections()).toBe(1);
  });
});
