import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { idle, replaceMethods, uncalled } from "../../scripts/left-out.js";
import { compile } from "../architecture/documents.ts";
import { root } from "../architecture/project.ts";

const place = join(root, "dist", ".left-out");

afterEach(() => rmSync(place, { recursive: true, force: true }));

/** Behind what the page never asks for: requests over the socket, tabs, rows to begin with, batches, and writes of another time. */
const neverReached = ["#fetch", "#share", "#begin", "#loaded", "#sendBatch", "together"];

/** Parts of the client that the page has not, or another in the place of. */
const absent = /^src\/client\/(?:answers|batch|fallback|require-seen|session|spare-lanes|storage)\.ts/;

/** The calls, in what the page is made of, of methods of the client whose bodies it is built without. */
async function callsLeftOut(change: (path: string, text: string) => string = (_, text) => text): Promise<string[]> {
  for (const layer of ["client", "filter", "page", "protocol"]) {
    cpSync(join(root, "src", layer), join(place, "src", layer), { recursive: true });
  }
  const edit = (path: string, by: (text: string) => string): void =>
    writeFileSync(join(place, path), by(readFileSync(join(place, path), "utf8")));
  for (const [file, names] of Object.entries(uncalled)) {
    edit(`src/client/${file}.ts`, (text) => replaceMethods(text, file, names, () => ""));
  }
  for (const [file, names] of Object.entries(idle)) {
    edit(`src/client/${file}.ts`, (text) => {
      return replaceMethods(text, file, names, (name: string) => `  ${name}(..._: unknown[]): any {}\n`);
    });
  }
  // What is called by the interface is called, too.
  edit("src/client/client.ts", (text) =>
    (uncalled.client.match(/\b(?<!#)\w+/g) ?? []).reduce(
      (rest, name) => rest.replace(new RegExp(`\\n  (?:readonly )?${name}[(<:][^]*?;(?=\\n)`), ""),
      text,
    ),
  );
  edit("src/page/app.ts", (text) => change("src/page/app.ts", text));
  const compilerOptions = { rootDir: ".", noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
  const config = { extends: "../../tsconfig.page.json", compilerOptions, include: ["src/page"], exclude: [] };
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify(config));
  const found = [
    ...(await compile(place)).matchAll(/(src\/\S+?)\(\d+,\d+\): error TS\d+: Property '(#?\w+)' does not exist/g),
  ];
  return found
    .filter(([, path = "", name = ""]) => !absent.test(path) && !neverReached.includes(name))
    .map(([, path, name]) => `${path} calls ${name}`);
}

describe("what the page is built without", () => {
  it("is called by nothing in it", async () => {
    expect(await callsLeftOut()).toEqual([]);
  });

  it("is found where something calls it", async () => {
    const call = (_: string, text: string): string =>
      text.replace("await this.#readSchema();", "$& this.#client.renew();");
    expect(await callsLeftOut(call)).toEqual(["src/page/app.ts calls renew"]);
  });
});
