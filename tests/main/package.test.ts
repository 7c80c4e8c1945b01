import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build, type Rolldown } from "vite";
import { describe, expect, inject, it } from "vitest";
import { linkViolations } from "../architecture/documents.ts";
import { Command } from "../cli/command.ts";
import { temporaryFolder } from "../cli/database.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { repository } = JSON.parse(read("package.json")) as { readonly repository: { readonly url: string } };

/** A project that has this package and one file of code. */
function projectWith(code: string): { readonly folder: string; readonly file: string } {
  expect(inject("buildError")).toBe("");
  const folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules", "rocket-rest"));
  const file = join(folder, "index.mjs");
  writeFileSync(file, code);
  return { folder, file };
}

/** All the code that a bundler makes of a project. */
async function bundle(code: string, conditions: string[]): Promise<string> {
  const { folder, file } = projectWith(code);
  const made = (await build({
    ...{ root: folder, configFile: false, logLevel: "silent" },
    resolve: { conditions, mainFields: ["module", "main"] },
    build: { write: false, minify: false, rollupOptions: { input: file, preserveEntrySignatures: "strict" } },
  })) as Rolldown.RolldownOutput;
  return made.output.map((part) => (part.type === "chunk" ? part.code : "")).join("\n");
}

describe("the package", () => {
  it.each([
    ["by name", 'import { createClient } from "rocket-rest"; createClient();'],
    ["for its effect", 'import "rocket-rest";'],
    ["by require", 'import { createRequire } from "node:module"; createRequire(import.meta.url)("rocket-rest");'],
  ])("says what to import where it is imported bare, %s", async (_how, code) => {
    const { stderr } = await new Command(process.execPath, [projectWith(code).file]).result;
    expect(stderr).toContain('Import from "rocket-rest/client" (createClient), "rocket-rest/react"');
  });

  it("knows bare names only that one of its modules has", async () => {
    const text = read("src/main/index.ts");
    const names = [...text.matchAll(/In `(rocket-rest\/\w+)`. @internal \*\/\nexport const (\w+)/g)];
    expect(names.length).toBe(text.match(/^export /gm)?.length);
    const code = names.map(([, from, name]) => `export { ${name} } from "${from}";`).join("\n");
    const module = (await import(pathToFileURL(projectWith(code).file).href)) as Record<string, unknown>;
    expect(Object.values(module).map((value) => typeof value)).toEqual(names.map(() => "function"));
  });

  it("brings nothing of Node into a page, also where the bundler was not told that it is one", async () => {
    const code = 'export { createClient } from "rocket-rest/client"; export { useRecord } from "rocket-rest/react";';
    expect(await bundle(code, [])).not.toMatch(/Sec-WebSocket|node:/);
    expect(await bundle(code, ["browser"])).not.toMatch(/Sec-WebSocket|node:/);
  });

  it("brings a WebSocket along where a bundler makes something for Node", async () => {
    const made = await bundle('export { createClient } from "rocket-rest/client";', ["node"]);
    expect(made).toMatch(/Sec-WebSocket-Key/);
  });

  it("has source maps with the sources in them", () => {
    const map = JSON.parse(read("dist/client/client.js.map")) as { readonly sourcesContent: readonly string[] };
    expect(map.sourcesContent).toEqual([read("src/client/client.ts")]);
  });

  it("begins its page with how to install it, and links to the repository that package.json names", () => {
    const page = read("README.md");
    expect(page).toMatch(
      /^# Rocket\n\n!\[[^\]]+\]\(docs\/page\.png\)\n\n```sh\nnpm ci && npm start .*\nnpm i rocket-rest .*\n```\n/,
    );
    expect(page).toContain(`](${repository.url.replace(/^git\+|\.git$/g, "")})`);
  });

  it("has the documents that its page links to, so that none of them needs the repository", async () => {
    const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: root,
      maxBuffer: 16 * 1024 * 1024,
    });
    const [{ files }] = JSON.parse(stdout) as [{ readonly files: readonly { readonly path: string }[] }];
    const paths = files.map(({ path }) => path);
    const documents = paths.filter((path) => /^(?:README|SECURITY)\.md$|^docs\/.*\.md$/.test(path));
    expect(documents.length).toBeGreaterThan(10);
    const pages = documents.map((path) => ({ path, text: read(path) }));
    expect(linkViolations(pages, (path) => paths.includes(path))).toEqual([]);
  });
});
