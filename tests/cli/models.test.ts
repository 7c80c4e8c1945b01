import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { rocket, serve } from "./command.ts";
import { createDatabase, temporaryFolder } from "./database.ts";

const schema = `model Artist {
  id    Int     @id
  title String  @map("name")
  style String? @map("genre")

  @@map("artists")
}`;

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

it("rocket serve has models name what it serves, and refuses those that name what is not there", async () => {
  const database = createDatabase();
  const folder = temporaryFolder();
  const { url, command } = await serve(database, "--models", write(folder, "schema.prisma", schema), "--port", "0");
  await command.until(({ stdout }) => stdout.includes("--detach"));

  expect(command.stdout).toContain("\n  /Artist  3\n");
  expect(await (await fetch(`${url}/Artist/1`)).json()).toEqual({
    Artist: { url: "/Artist/1", id: 1, title: "Can", style: "krautrock" },
  });

  const venue = 'model Venue {\n id Int @id\n @@map("venues")\n}';
  const other = write(folder, "other.prisma", `${schema.replace('"genre"', '"kind"')}\n${venue}`);
  const refused = await rocket("serve", createDatabase(), "--models", other, "--port", "0").result;
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(
      /^rocket: The table "artists" has no column "kind", which the model Artist has\..*\nThe database has no table "venues", which the model Venue is\..*\n$/,
    ),
  ]);
});

it("rocket serve says what to do with models in the place of a database", async () => {
  const refused = await rocket("serve", "prisma/schema.prisma", "--database", "music.db").result;

  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("rocket serve music.db --models prisma/schema.prisma"),
  ]);
});

it("rocket migrate runs a folder of migrations, and says what it ran and what failed", async () => {
  const folder = temporaryFolder();
  const database = join(folder, "new.db");
  const migrations = join(folder, "migrations");
  write(migrations, "20240101000000_first/migration.sql", "CREATE TABLE artists (id INTEGER PRIMARY KEY);");

  const results = [
    await rocket("migrate", database, migrations).result,
    await rocket("migrate", database, migrations).result,
  ];
  write(
    migrations,
    "20240202000000_second/migration.sql",
    "CREATE TABLE albums (id INTEGER PRIMARY KEY); CREATE TABLE artists (id);",
  );
  const failed = await rocket("migrate", database, migrations).result;

  expect(results).toEqual([
    { code: 0, signal: null, stdout: "Ran 20240101000000_first.\n", stderr: "" },
    { code: 0, signal: null, stdout: "Nothing to run. 1 had been run before.\n", stderr: "" },
  ]);
  expect(failed.code).toBe(1);
  expect(failed.stderr).toMatch(
    /migration\.sql, line 1: table artists already exists\. The statement: CREATE TABLE artists \(id\)\nNothing of this file was done\.\n$/,
  );
});
