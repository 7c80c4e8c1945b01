import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rocket, serve } from "./command.ts";
import { createDatabase, runSql, temporaryFolder } from "./database.ts";

const page = "<!doctype html><title>Music</title>";

/** A front end as a bundler leaves it. */
function makeFrontEnd(): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), page);
  writeFileSync(join(folder, "assets", "index-1a2b.js"), "fetch('/artists')");
  return folder;
}

async function get(url: string, accept: string): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(url, { headers: { Accept: accept } });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const html = "text/html; charset=utf-8";

describe("rocket serve --public", () => {
  it("serves a front end beside the API", async () => {
    const folder = makeFrontEnd();
    const { command, url } = await serve(createDatabase(), "--port", "0", "--public", folder);
    await command.until(({ stdout }) => stdout.includes("--detach"));

    expect(command.stdout).toContain(`Beside them: the files of ${folder}\n`);
    expect(await get(`${url}/`, browser)).toEqual({ status: 200, type: html, text: page });
    expect(await get(`${url}/songs-of/3`, browser)).toEqual({ status: 200, type: html, text: page });
    expect(await get(`${url}/assets/index-1a2b.js`, "*/*")).toMatchObject({ status: 200, text: "fetch('/artists')" });
    expect(JSON.parse((await get(`${url}/`, "*/*")).text).collections).toHaveLength(2);
    for (const accept of [browser, "*/*"]) {
      expect(await get(`${url}/artists/1`, accept)).toMatchObject({ status: 200, type: "application/json" });
      expect(await get(`${url}/artists/99`, accept)).toMatchObject({ status: 404, type: "application/problem+json" });
    }
    expect(await get(`${url}/songs-of/3`, "application/json")).toMatchObject({ status: 404 });
    expect(await get(`${url}/favicon.ico`, browser)).toMatchObject({ status: 404 });
    expect(command.stderr).toBe("");
  });

  it("says which files a table hides, also one that is made later", async () => {
    const folder = makeFrontEnd();
    const path = createDatabase();
    mkdirSync(join(folder, "songs"));
    const { command, url } = await serve(path, "--port", "0", "--public", folder);
    await command.until(({ stderr }) => stderr.endsWith("hidden by it.\n"));
    expect(command.stderr).toBe(`rocket: /songs is a table's; what ${folder} has under that name is hidden by it.\n`);

    runSql(path, "CREATE TABLE assets (id TEXT PRIMARY KEY NOT NULL)");
    expect((await get(`${url}/assets`, "*/*")).text).toBe('{"assets":[]}');
    expect((await get(`${url}/assets/index-1a2b.js`, "*/*")).status).toBe(404);
  });

  it("says that there is no such folder", async () => {
    const folder = join(temporaryFolder(), "none");
    const { code, stdout, stderr } = await rocket("serve", createDatabase(), "--port", "0", "--public", folder).result;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(`rocket: --public: there is no folder ${JSON.stringify(folder)}.\n`);
  });
});
