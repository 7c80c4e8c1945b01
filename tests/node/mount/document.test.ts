import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, inject, it, onTestFinished } from "vitest";
import { root } from "../../architecture/project.ts";
import { temporaryFile } from "../../scaffold/sqlite/service.ts";
import { Follower } from "../attach/follower.ts";
import { anns } from "./mounted.ts";

/** Inside of the package, so that its name leads to what was built. */
const folder = join(root, "dist/.library");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The first code of docs/library.md, with what it leaves out. */
function firstCode(path: string): string {
  const text = readFileSync(join(root, "docs/library.md"), "utf8");
  const code = /^```ts\n([\s\S]*?)^```/m.exec(text)?.[1] ?? "";
  const personOf = 'const personOf = (cookies) => (cookies === "who=ann" ? { sub: "ann", teams: [2] } : null);';
  const server =
    'const server = app.listen(0, "127.0.0.1", () => process.send(server.address().port)); mount(server, scaffold);';
  return code
    .replace(/^declare function personOf.*$/m, personOf)
    .replace('"app.db"', JSON.stringify(path))
    .replace(/^mount\(app\.listen\(3000\), scaffold\);/m, server);
}

it("The first code of docs/library.md runs, and is live", async () => {
  expect(inject("buildError")).toBe("");
  const path = temporaryFile();
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  database.exec(
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, owner TEXT, team INTEGER, text TEXT); INSERT INTO notes VALUES (1, 'ann', 1, 'a1'), (2, 'bob', 1, 'b2'), (3, 'bob', 2, 'b3')",
  );
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "first.mjs"), firstCode(path));

  const child = fork(join(folder, "first.mjs"), { execArgv: [] });
  onTestFinished(() => void child.kill());
  const [port] = (await once(child, "message")) as [number];
  const notes = new Follower(`ws://127.0.0.1:${port}/api/notes`, { headers: anns });
  await notes.ready();
  database.exec("UPDATE notes SET text = 'A1' WHERE id = 1; UPDATE notes SET text = 'B2' WHERE id = 2");
  await notes.until(({ list }) => JSON.stringify(list).includes("A1"));

  expect(notes.list).toMatchObject([{ text: "A1" }, { text: "b3" }]);
  expect((await fetch(`http://127.0.0.1:${port}/api/notes`)).status).toBe(401);
  database.close();
}, 120_000);
