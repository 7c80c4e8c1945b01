import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { transformWithOxc } from "vite";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createServer } from "../../src/node/index.ts";
import { createScaffold } from "../../src/scaffold/index.ts";
import { fencesOf } from "../architecture/documents.ts";
import { readText, root } from "../architecture/project.ts";

const shown = "http://127.0.0.1:8080";
const folder = join(root, "dist/.client-docs");
const closers: (() => unknown)[] = [];
let url = "";

beforeAll(async () => {
  expect(inject("buildError")).toBe("");
  const place = mkdtempSync(join(tmpdir(), "rocket-client-"));
  const path = join(place, "music.db");
  const script = new URL("../../examples/music/create.js", import.meta.url).href;
  const { createMusic } = (await import(script)) as { createMusic(path: string): void };
  createMusic(path);
  const scaffold = await createScaffold({ path });
  const server = createServer(scaffold);
  const { host, port } = await server.listen(0);
  url = `http://${host}:${port}`;
  closers.push(
    () => server.close(),
    () => scaffold.close(),
    () => rmSync(place, { recursive: true, force: true }),
  );
  mkdirSync(folder, { recursive: true });
});

afterAll(async () => {
  for (const close of closers) await close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a block as a program of its own, against the server of this test; a block without an end is given one second of quiet. */
async function runBlock(name: string, code: string): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const ends = /\.close\(\);\s*$/.test(code);
  const { code: js } = await transformWithOxc(code.replaceAll(shown, url), `${name}.ts`);
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, ends ? js : `${js}\nsetTimeout(() => process.exit(0), 1_000);\n`);
  return new Promise((resolve) => {
    execFile(process.execPath, [path], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
  });
}

const blocks = ["README.md", "docs/client.md"].flatMap((path) =>
  fencesOf(readText(path).text)
    .filter(({ language, code }) => language === "ts" && code.includes('"rocket-rest/client"'))
    .map(({ line, code }) => ({ place: `${path}:${line}`, code })),
);

describe("the client's documents", () => {
  it("have code to run", () => {
    expect(blocks.length).toBeGreaterThan(5);
  });

  it.each(blocks)("have code that runs to its end against a server: $place", async ({ place, code }) => {
    const ran = await runBlock(place.replaceAll(/\W/g, "-"), code);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    // What a block prints whatever happens comes out.
    if (/^console\.log\(/m.test(code)) expect(ran.stdout).not.toBe("");
  });
});
