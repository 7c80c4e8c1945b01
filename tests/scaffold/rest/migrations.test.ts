import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import { drizzle as drizzleSqlite } from "drizzle-orm/better-sqlite3";
import { migrate as migrateSqlite } from "drizzle-orm/better-sqlite3/migrator";
import { drizzle as drizzlePostgres } from "drizzle-orm/node-postgres";
import { migrate as migratePostgres } from "drizzle-orm/node-postgres/migrator";
import { Client } from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { migrate } from "../../../src/scaffold/index.ts";
import { here, serve } from "./service.ts";

type Files = Readonly<Record<string, string>>;

/** A folder of the test's own, with files. */
function folderOf(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), "rocket-migrations-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  add(folder, files);
  return folder;
}

function add(folder: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const key = here({ sqlite: "INTEGER PRIMARY KEY", postgres: "SERIAL PRIMARY KEY" });
const dialect = here({ sqlite: "sqlite", postgres: "postgresql" });
const lock = { "migration_lock.toml": `# Prisma's\nprovider = "${dialect}"\n` };
const first = `-- CreateTable\nCREATE TABLE "artists" ("id" ${key}, "name" TEXT NOT NULL);\n\n-- It's all; of it.\nINSERT INTO artists (name) VALUES ('Can; not');\n`;
const second = 'ALTER TABLE "artists" ADD COLUMN "year" INTEGER;\n';

function prismaFolder(files: Files = {}): string {
  return folderOf({
    ...lock,
    "20240101000000_first/migration.sql": first,
    "20240202000000_second/migration.sql": second,
    ...files,
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** What is noted, as Prisma reads it. */
const prismaBook = `SELECT migration_name, checksum, finished_at IS NULL, rolled_back_at IS NULL, applied_steps_count, logs
  FROM _prisma_migrations ORDER BY migration_name`;
const no = here<unknown>({ sqlite: 0, postgres: false });
const yes = here<unknown>({ sqlite: 1, postgres: true });

/** An empty database. */
const open = () => serve("SELECT 1");

describe("A folder of Prisma's migrations", () => {
  test("is run in its order, once, and noted as Prisma does", async () => {
    const { path, rows } = await open();
    const folder = prismaFolder();

    expect(await migrate(path, folder)).toEqual({
      run: ["20240101000000_first", "20240202000000_second"],
      known: 0,
      notes: [],
    });
    expect(await migrate(path, folder)).toEqual({ run: [], known: 2, notes: [] });

    expect(await rows("SELECT name, year FROM artists")).toEqual([["Can; not", null]]);
    expect(await rows(prismaBook)).toEqual([
      ["20240101000000_first", sha256(first), no, yes, 1, null],
      ["20240202000000_second", sha256(second), no, yes, 1, null],
    ]);
    const [[id, started] = []] = await rows("SELECT id, started_at FROM _prisma_migrations");
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(new Date(started as string | number | Date).getTime() - Date.now())).toBeLessThan(600_000);
  });

  test("is followed by a server, whose collections are as they are then", async () => {
    const { path, send, scaffold } = await open();
    const folder = prismaFolder();

    await migrate(path, folder);
    await scaffold.journal?.poll();
    expect((await send("GET", "/artists")).json).toMatchObject({ artists: [{ name: "Can; not", year: null }] });

    add(folder, {
      "20240303000000_third/migration.sql": "ALTER TABLE artists DROP COLUMN year; UPDATE artists SET name = 'Can'",
    });
    expect((await migrate(path, folder)).run).toEqual(["20240303000000_third"]);
    await scaffold.journal?.poll();
    expect((await send("GET", "/artists/1")).text).toBe('{"artist":{"url":"/artists/1","id":1,"name":"Can"}}');
    expect((await send("GET", "/_prisma_migrations")).status).toBe(404);
  });

  test("leaves what was where a statement fails, and says which", async () => {
    const { path, rows } = await open();
    const folder = prismaFolder({
      "20240303000000_third/migration.sql": `CREATE TABLE more (id ${key});\n\n/* one\nthat fails */\nINSERT INTO nothing\n  VALUES (1);`,
    });

    const failed = migrate(path, folder);
    await expect(failed).rejects.toMatchObject({ code: "migration-failed" });
    await expect(failed).rejects.toThrow(
      new RegExp(
        `${folder}/20240303000000_third/migration.sql, line 5: .*nothing.* The statement: INSERT INTO nothing …\\nNothing of this file was done\\.$`,
      ),
    );
    expect(await rows("SELECT year FROM artists")).toEqual([[null]]);
    await expect(rows("SELECT * FROM more")).rejects.toThrow();
    expect(await rows("SELECT count(*) FROM _prisma_migrations")).toEqual([
      [here<unknown>({ sqlite: 2, postgres: "2" })],
    ]);
  });

  test("notes what can't be undone where it fails, and is not gone on with then", async () => {
    const { path, rows } = await open();
    const alone = here({ sqlite: "VACUUM", postgres: "CREATE INDEX CONCURRENTLY by_name ON artists (name)" });
    const folder = prismaFolder({ "20240303000000_third/migration.sql": `${alone};\nSELECT nothing();` });

    await expect(migrate(path, folder)).rejects.toThrow(/what stands before this in it was done\.$/);
    expect((await rows(prismaBook)).at(-1)).toEqual([
      "20240303000000_third",
      expect.anything(),
      yes,
      yes,
      0,
      expect.stringMatching(/nothing/),
    ]);
    await expect(migrate(path, folder)).rejects.toThrow(
      "The migration 20240303000000_third failed before, half way: see to it, then: npx prisma migrate resolve",
    );
  });

  const begun = (sql: string) => `SELECT 1;\nBEGIN;\nCREATE TABLE more (id ${key});\n${sql}`;

  test.each([
    ["leaves a transaction open", begun(""), /line 2: this begins a transaction that the file does not end/],
    ["goes on with another one", begun("COMMIT /* */ AND CHAIN;"), /line 4: this begins a transaction/],
    ["leaves a savepoint open", `SAVEPOINT s;\n${begun("COMMIT;")}`, /line 1: SAVEPOINT stands in no transaction/],
    ["has a NUL", "SELECT 1;\nCREATE TABLE\nmore\0 (id INTEGER);", /line 3: there is a NUL character/],
  ])("that %s is refused before anything is run", async (_what, sql, words) => {
    const { path, rows } = await open();
    const refused = migrate(path, prismaFolder({ "20240303000000_third/migration.sql": sql }));

    await expect(refused).rejects.toMatchObject({ code: "migration-invalid" });
    await expect(refused).rejects.toThrow(words);
    await expect(refused).rejects.toThrow(/20240303000000_third\/migration\.sql, line .*\nNothing was run\.$/);
    expect(await rows("SELECT * FROM _prisma_migrations")).toEqual([]);
    await expect(rows("SELECT * FROM artists")).rejects.toThrow();
  });

  test("goes back to a savepoint in its transaction, and has transactions of its own", async () => {
    const { path, rows } = await open();
    const folder = prismaFolder({
      "20240303000000_third/migration.sql":
        "SAVEPOINT s;\nDELETE FROM artists;\nROLLBACK TO s;\nINSERT INTO artists (name) VALUES ('Neu!');",
      "20240404000000_fourth/migration.sql":
        "BEGIN;\nINSERT INTO artists (name) VALUES ('Cluster');\nCOMMIT;\nBEGIN; SAVEPOINT s; DELETE FROM artists; ROLLBACK;",
    });

    expect((await migrate(path, folder)).run).toHaveLength(4);
    expect(await rows("SELECT name FROM artists ORDER BY id")).toEqual([["Can; not"], ["Neu!"], ["Cluster"]]);
    expect((await rows(prismaBook)).map((row) => row.slice(2))).toEqual(new Array(4).fill([no, yes, 1, null]));
  });

  test.each([
    ["BEGIN;\nDELETE FROM artists;\nSELECT nothing();\nCOMMIT;", /line 3: .*\nNothing of this file was done\.$/, 1],
    [
      "DELETE FROM artists;\nBEGIN;\nINSERT INTO artists (name) VALUES ('Neu!');\nSELECT nothing();\nCOMMIT;",
      /line 4: .*\n.*: what stands before line 2 in it was done, and nothing from there on\.$/,
      0,
    ],
  ])("that fails in a transaction of its own says what is done, in Prisma's table, too", async (sql, words, left) => {
    const { path, rows } = await open();

    await expect(migrate(path, prismaFolder({ "20240303000000_third/migration.sql": sql }))).rejects.toThrow(words);
    expect(await rows("SELECT name FROM artists")).toHaveLength(left);
    expect((await rows(prismaBook)).at(-1)?.slice(2)).toEqual([yes, yes, 0, expect.stringMatching(/nothing/)]);
  });

  test("is named where the database refuses it at its end", async () => {
    const { path, rows } = await open();
    const folder = prismaFolder({
      "20240303000000_third/migration.sql": `CREATE TABLE albums (id ${key}, artist_id INTEGER REFERENCES artists DEFERRABLE INITIALLY DEFERRED);
INSERT INTO albums (artist_id) VALUES (7);`,
    });

    const failed = migrate(path, folder);
    await expect(failed).rejects.toMatchObject({ code: "migration-failed" });
    await expect(failed).rejects.toThrow(
      /20240303000000_third\/migration\.sql, at its end: .*foreign key constraint.*\nNothing of this file was done\.$/i,
    );
    await expect(rows("SELECT * FROM albums")).rejects.toThrow();
    expect(await rows(prismaBook)).toHaveLength(2);
  });

  test("is told of where it was changed after it was run", async () => {
    const { path } = await open();
    const folder = prismaFolder();
    await migrate(path, folder);
    add(folder, { "20240202000000_second/migration.sql": `${second}-- more` });
    rmSync(join(folder, "20240101000000_first"), { recursive: true });

    expect((await migrate(path, folder)).notes).toEqual([
      `${folder}/20240202000000_second/migration.sql is not as it was when it was run.`,
      "20240101000000_first was run, and the folder does not have it.",
    ]);
  });
});

const entries = [
  { idx: 0, version: "6", when: 1704067200000, tag: "0000_first", breakpoints: true },
  { idx: 1, version: "6", when: 1706832000000, tag: "0001_second", breakpoints: true },
];
const drizzleFiles = {
  "meta/_journal.json": JSON.stringify({
    version: "7",
    dialect,
    entries,
  }),
  "0000_first.sql": `CREATE TABLE artists (id ${key}, name TEXT NOT NULL);\n--> statement-breakpoint\nINSERT INTO artists (name) VALUES ('Can')--> statement-breakpoint\nINSERT INTO artists (name) VALUES ('Neu!');`,
  "0001_second.sql": second,
};

/** Has Drizzle run a folder by itself. */
async function byDrizzle(path: string, migrationsFolder: string): Promise<void> {
  if (!path.startsWith("postgres")) {
    const database = new Database(path);
    migrateSqlite(drizzleSqlite(database), { migrationsFolder });
    database.close();
    return;
  }
  const client = new Client(path);
  await client.connect();
  await migratePostgres(drizzlePostgres(client), { migrationsFolder });
  await client.end();
}

describe("A folder of Drizzle's migrations", () => {
  const book = here({ sqlite: "__drizzle_migrations", postgres: "drizzle.__drizzle_migrations" });

  test("is run in its order, once, and Drizzle has nothing more to do", async () => {
    const { path, rows } = await open();
    const folder = folderOf(drizzleFiles);

    expect((await migrate(path, folder)).run).toEqual(["0000_first", "0001_second"]);
    await byDrizzle(path, folder);
    expect((await migrate(path, folder)).known).toBe(2);

    expect(await rows("SELECT name, year FROM artists ORDER BY name")).toEqual([
      ["Can", null],
      ["Neu!", null],
    ]);
    expect(
      (await rows(`SELECT hash, created_at FROM ${book} ORDER BY created_at`)).map(([hash, when]) => [
        hash,
        Number(when),
      ]),
    ).toEqual([
      [sha256(drizzleFiles["0000_first.sql"]), 1704067200000],
      [sha256(second), 1706832000000],
    ]);
  });

  test("goes on after what Drizzle itself has run", async () => {
    const { path, rows } = await open();
    const folder = folderOf({
      ...drizzleFiles,
      "meta/_journal.json": JSON.stringify({ entries: entries.slice(0, 1) }),
    });

    await byDrizzle(path, folder);
    add(folder, drizzleFiles);
    expect(await migrate(path, folder)).toEqual({ run: ["0001_second"], known: 1, notes: [] });
    await byDrizzle(path, folder);
    expect(await rows("SELECT count(year), count(*) FROM artists")).toEqual([
      here<unknown[]>({ sqlite: [0, 2], postgres: ["0", "2"] }),
    ]);
  });

  const third = { idx: 2, version: "6", when: 1705000000000, tag: "0002_third", breakpoints: true };
  const late = {
    ...drizzleFiles,
    "0002_third.sql": "INSERT INTO artists (name, year) VALUES ('Neu!', 1971);",
    "meta/_journal.json": JSON.stringify({ entries: [...entries, third] }),
  };

  test.each([
    ["Rocket", async (path: string, folder: string) => expect((await migrate(path, folder)).run).toHaveLength(3)],
    ["Drizzle", byDrizzle],
  ])("is run whole by %s on an empty database, whatever its moments are, and known then", async (_who, run) => {
    const { path, rows } = await open();
    const folder = folderOf(late);

    await run(path, folder);
    expect(await rows("SELECT name FROM artists WHERE year IS NOT NULL")).toEqual([["Neu!"]]);
    expect(await rows(`SELECT hash FROM ${book}`)).toHaveLength(3);
    expect(await migrate(path, folder)).toEqual({ run: [], known: 3, notes: [] });
  });

  test("is refused where one of them came in late, which Drizzle would leave out", async () => {
    const { path, rows } = await open();
    const folder = folderOf(drizzleFiles);
    await migrate(path, folder);
    add(folder, late);

    await byDrizzle(path, folder);
    expect(await rows(`SELECT hash FROM ${book}`)).toHaveLength(2);
    const refused = migrate(path, folder);
    await expect(refused).rejects.toMatchObject({ code: "migration-invalid" });
    await expect(refused).rejects.toThrow(
      `${folder}/0002_third.sql was never run here, and Drizzle would leave it out for good: its "when" (1705000000000) is not after that of the last one that was run (1706832000000).`,
    );

    add(folder, {
      "meta/_journal.json": JSON.stringify({ entries: [...entries, { ...third, when: 1707000000000 }] }),
    });
    expect(await migrate(path, folder)).toEqual({ run: ["0002_third"], known: 2, notes: [] });
  });

  test("goes on behind the last one that is noted, and says what is not", async () => {
    const { path, rows } = await serve(
      `${here({ sqlite: "", postgres: "CREATE SCHEMA drizzle;" })}CREATE TABLE ${book} (id INTEGER, hash TEXT NOT NULL, created_at BIGINT);
      INSERT INTO ${book} VALUES (1, '${sha256(second)}', 1706832000000)`,
    );

    const folder = folderOf(drizzleFiles);
    expect(await migrate(path, folder)).toEqual({
      run: [],
      known: 1,
      notes: [
        `${folder}/0000_first.sql is not noted as run, and left out: a later one is, and Drizzle goes on behind it.`,
      ],
    });
    await expect(rows("SELECT * FROM artists")).rejects.toThrow();
  });

  test("that can't be run is refused, with what to do", async () => {
    const { path } = await open();

    await expect(migrate(path, folderOf({ "a.sql": "SELECT 1" }))).rejects.toThrow(
      /has no migrations of Prisma .* or Drizzle/,
    );
    await expect(
      migrate(path, folderOf({ "20240101_a/migration.sql": "", "20240101_a/snapshot.json": "{}" })),
    ).rejects.toThrow(/-- npx drizzle-kit migrate/);
    await expect(migrate(path, folderOf({ "meta/_journal.json": "{" }))).rejects.toMatchObject({
      code: "migration-invalid",
    });
    await expect(migrate(path, folderOf({ "meta/_journal.json": drizzleFiles["meta/_journal.json"] }))).rejects.toThrow(
      /0000_first.sql" can't be read/,
    );
    await expect(migrate(path, "/nowhere")).rejects.toThrow(
      'There is no folder "/nowhere"; a command stands behind --.',
    );
  });
});

test("What a migration does with a table's rows and functions is what the database makes of it", async () => {
  const { path, rows } = await open();
  const rebuild = `CREATE TABLE albums (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artists ON DELETE CASCADE);
INSERT INTO albums VALUES (1, 1);
PRAGMA foreign_keys=OFF;
CREATE TABLE new_artists (id INTEGER PRIMARY KEY, name TEXT, year INTEGER);
INSERT INTO new_artists SELECT id, name, year FROM artists;
DROP TABLE artists;
ALTER TABLE new_artists RENAME TO artists;
PRAGMA foreign_keys=ON;
CREATE TRIGGER stamped AFTER INSERT ON albums BEGIN
  UPDATE artists SET year = CASE WHEN year IS NULL THEN 1 ELSE 2 END WHERE id = NEW.artist_id;
END;
INSERT INTO albums VALUES (2, 1);`;
  const bodies = `CREATE TABLE albums (id INTEGER PRIMARY KEY, artist_id INTEGER NOT NULL REFERENCES artists ON DELETE CASCADE);
INSERT INTO albums VALUES (1, 1);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  UPDATE artists SET year = 1 WHERE id = NEW.artist_id; /* one /* in */ another; */
  RETURN NEW;
END $body$;
CREATE FUNCTION two() RETURNS integer BEGIN ATOMIC
  SELECT 1; SELECT CASE WHEN true THEN 2 END;
END;
CREATE TRIGGER stamped AFTER INSERT ON albums FOR EACH ROW EXECUTE FUNCTION stamp();
INSERT INTO albums VALUES (two(), 1); COMMENT ON TABLE albums IS E'it\\'s; $x$';`;

  await migrate(
    path,
    prismaFolder({ "20240303000000_third/migration.sql": here({ sqlite: rebuild, postgres: bodies }) }),
  );

  expect(await rows("SELECT id, artist_id FROM albums ORDER BY id")).toEqual([
    [1, 1],
    [2, 1],
  ]);
  expect(await rows("SELECT name, year FROM artists")).toEqual([["Can; not", 1]]);
});

describe("A folder of migrations for another database", () => {
  const other = here({ sqlite: "postgresql", postgres: "sqlite" });
  const database = here({ sqlite: "SQLite", postgres: "PostgreSQL" });

  test.for(["mysql", "cockroachdb", other])("is refused before anything is run: %s", async (named) => {
    const { path, rows } = await open();
    const prisma = prismaFolder({ "migration_lock.toml": `provider = "${named}"` });
    const journal = JSON.stringify({ version: "7", dialect: named, entries });
    const drizzle = folderOf({ ...drizzleFiles, "meta/_journal.json": journal });

    const why = (file: string) =>
      `${JSON.stringify(file)} says that the migrations are for "${named}", and the database is ${database}. Nothing was run.`;
    await expect(migrate(path, prisma)).rejects.toMatchObject({
      code: "migration-invalid",
      message: why(join(prisma, "migration_lock.toml")),
    });
    await expect(migrate(path, drizzle)).rejects.toThrow(why(join(drizzle, "meta/_journal.json")));
    await expect(rows("SELECT * FROM artists")).rejects.toThrow();
  });
});
