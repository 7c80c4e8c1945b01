import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";
import { runNode } from "./command.ts";
import { temporaryFolder } from "./database.ts";

/** Opens a fresh music database. */
async function openMusic(): Promise<Database.Database> {
  const script = pathToFileURL(join(process.cwd(), "examples/music/create.js")).href;
  const { createMusic } = (await import(script)) as { createMusic(path: string): void };
  const path = join(temporaryFolder(), "music.db");
  createMusic(path);
  const database = new Database(path, { readonly: true });
  onTestFinished(() => void database.close());
  return database;
}

function numbers(database: Database.Database, sql: string): unknown[] {
  return database.prepare(sql).pluck().all();
}

describe("the music database", () => {
  it("has at least 60 artists, 150 albums and 500 songs", async () => {
    const database = await openMusic();
    const counts = ["artists", "albums", "songs"].map((table) => numbers(database, `SELECT count(*) FROM ${table}`)[0]);
    expect(counts.map((count, at) => Number(count) >= ([60, 150, 500][at] ?? 0))).toEqual([true, true, true]);
  });

  it("has no broken foreign keys, and no artist or album without songs", async () => {
    const database = await openMusic();
    expect(database.pragma("foreign_key_check")).toEqual([]);
    expect(numbers(database, "SELECT name FROM artists WHERE id NOT IN (SELECT artist_id FROM albums)")).toEqual([]);
    expect(numbers(database, "SELECT title FROM albums WHERE id NOT IN (SELECT album_id FROM songs)")).toEqual([]);
  });

  it("has no song twice in an album, and nothing out of its time", async () => {
    const database = await openMusic();
    const twice = "SELECT title FROM songs GROUP BY album_id, title HAVING count(*) > 1";
    const early = "SELECT title FROM albums JOIN artists ON artists.id = artist_id WHERE year < formed OR year > 2025";
    const odd = "SELECT title FROM songs WHERE seconds NOT BETWEEN 60 AND 1800 OR track NOT BETWEEN 1 AND 30";
    expect([twice, early, odd].flatMap((sql) => numbers(database, sql))).toEqual([]);
  });

  it("comes from many places and times", async () => {
    const database = await openMusic();
    expect(numbers(database, "SELECT count(DISTINCT country) FROM artists")[0]).toBeGreaterThan(20);
    expect(numbers(database, "SELECT count(DISTINCT genre) FROM artists")[0]).toBeGreaterThan(30);
    expect(numbers(database, "SELECT count(DISTINCT year / 10) FROM albums")[0]).toBeGreaterThan(7);
  });

  it("is in WAL mode", async () => {
    expect((await openMusic()).pragma("journal_mode", { simple: true })).toBe("wal");
  });
});

describe("npm start", () => {
  it("creates the database, serves it, and says what to try", async () => {
    const path = join(temporaryFolder(), "music.db");
    const start = runNode("examples/music/start.js", ["0", path]);
    await start.until(({ stdout }) => stdout.includes("Ctrl-C"));
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(start.stdout)?.[0] ?? "";
    const { artists } = (await (await fetch(`${url}/artists?genre=jazz`)).json()) as { readonly artists: unknown[] };
    expect(artists.length).toBeGreaterThan(3);
    expect(start.stdout).toMatch(/^Creating the music database … done\.\n/);
    const lines = [`curl '${url}/artists`, `npx rocket tail ${url}/artists`, "sqlite3 ", `curl ${url}/artists -H`];
    expect(lines.filter((line) => !start.stdout.includes(line))).toEqual([]);
    start.process.kill("SIGTERM");
    expect((await start.result).code).toBe(0);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it("takes the port of PORT, and says what to do where it is wrong", async () => {
    const { code, stderr } = await runNode("examples/music/start.js", [], { PORT: "http" }).result;
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'start: the port must be a whole number from 0 to 65535, not "http".\n',
    });
  });

  it("with --postgres serves the same from a PostgreSQL of its own, which it stops at the end", async () => {
    const parent = temporaryFolder();
    // As root, PostgreSQL runs as another user.
    chmodSync(parent, 0o755);
    const folder = join(parent, "postgres");
    const command = runNode("examples/music/start.js", ["--postgres", "0", folder]);
    await command.until(({ stdout }) => stdout.includes("Ctrl-C"));
    const [url = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(command.stdout) ?? [];

    const answer = await fetch(`${url}/artists?name=Can`);

    expect(await answer.json()).toMatchObject({ artists: [{ name: "Can", genre: "krautrock" }] });
    expect(command.stdout).toContain("/songs    730");
    command.process.kill("SIGINT");
    // That PostgreSQL ends at the same time is no news.
    expect((await command.result).stderr).toMatch(/^Stopping.*\n$/);
    expect(existsSync(join(folder, "data", "postmaster.pid"))).toBe(false);
  });
});
