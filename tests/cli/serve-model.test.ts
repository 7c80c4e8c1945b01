import { join } from "node:path";
import { expect, it } from "vitest";
import { musicModel, writeModel } from "../scaffold/models/music-model.ts";
import { rocket, serve } from "./command.ts";
import { runSql, temporaryFolder } from "./database.ts";

it("rocket serve makes the tables of a Core Data model, serves them, and says later what differs", async () => {
  const folder = temporaryFolder();
  const model = writeModel(folder, { "Music.xcdatamodel": musicModel() });
  const database = join(folder, "music.db");
  const first = await serve(model, "--database", database, "--port", "0");
  await first.command.until(({ stdout }) => stdout.includes("--detach"));
  expect(first.command.stdout).toMatch(/^Made the model's tables: artists, songs, /);
  expect(first.command.stdout).toContain("\n  /artists             0\n");
  expect(first.command.stderr).toContain("rocket: Of the model: The order of Artist.songs is not kept.\n");
  const body = JSON.stringify({ name: "Low", code: "AB1" });
  const headers = { "Content-Type": "application/json" };
  expect((await fetch(`${first.url}/artists`, { method: "POST", body, headers })).status).toBe(201);
  first.command.process.kill("SIGTERM");
  await first.command.result;

  runSql(database, "CREATE TABLE other (id INTEGER PRIMARY KEY)");
  const second = await serve(model, "--database", database, "--port", "0");
  await second.command.until(({ stdout }) => stdout.includes("--detach"));
  expect(second.command.stdout).toContain("\n  /artists             1\n");
  expect(second.command.stdout).not.toContain("Made");
  expect(second.command.stderr).not.toContain("Not as in the model");
  second.command.process.kill("SIGTERM");
  await second.command.result;
  const renamed = writeModel(temporaryFolder(), {
    "Music.xcdatamodel": musicModel().replace('name="town"', 'name="city"'),
  });
  const third = await serve(renamed, "--database", database, "--port", "0");
  await third.command.until(({ stdout }) => stdout.includes("--detach"));
  expect(third.command.stderr).toContain("rocket: Not as in the model: There is no column record_labels.city.\n");
  expect(third.command.stderr).toContain("rocket: Nothing was altered: the database is served as it is.\n");
}, 60_000);

it("rocket serve refuses a model without a database, and a second database without a model", async () => {
  const model = writeModel(temporaryFolder(), { "Music.xcdatamodel": "<plist/>" });
  const results = await Promise.all(
    [[model], ["music.db", "--database", "other.db"], [model, "--database", "music.db"]].map(
      (args) => rocket("serve", ...args, "--port", "0").result,
    ),
  );
  expect(results.map(({ code }) => code)).toEqual([2, 2, 1]);
  const [one, two, three] = results.map(({ stderr }) => stderr);
  expect(one).toContain("is a model: --database says where its records are");
  expect(two).toContain('"music.db" is no .xcdatamodeld');
  expect(three).toContain("begins with <plist>, not with <model>");
});
