import { describe, expect, it } from "vitest";
import { projectHas } from "./documents.ts";
import { listFiles, readText } from "./project.ts";
import { type Manifest, manifestViolations, textViolations } from "./text.ts";

const manifest = JSON.parse(readText("package.json").text) as Manifest;

const texts = listFiles()
  .map(readText)
  .filter(({ text }) => !text.includes("\0"));

describe("the project's texts", () => {
  it("name no machine and no registry, and leave nothing undone", () => {
    expect(textViolations(texts)).toEqual([]);
  });

  it.each([
    ["a path in a string", `const a = "/${"tmp"}/a.db";`, "has a path of one machine"],
    ["a path in a command", `cd /${"root"}/a`, "has a path of one machine"],
    ["a registry's host", `https://registry.${"npmjs"}.org/ws`, "names a package registry"],
    ["a resolved package", `"${"resolved"}": "https://example.com/ws.tgz"`, "names a package registry"],
    ["a note to come back", `// ${"TO"}${"DO"}: later`, "is unfinished"],
    ["a test that runs alone", `it.${"only"}("a", () => {});`, "switches tests off"],
    ["a test that does not run", `describe.${"skip"}("a", () => {});`, "switches tests off"],
  ])("are found with %s", (_, text, what) => {
    expect(textViolations([{ path: "a.ts", text: `\n${text}` }])).toEqual([expect.stringContaining(`a.ts:2 ${what}`)]);
  });

  it("may have paths of their own and conditions on tests", () => {
    const text = 'import "../work/a.ts"; ./tmp/x; it.skipIf(noPython)("a", b); GET /songs/1';
    expect(textViolations([{ path: "a.ts", text }])).toEqual([]);
  });
});

describe("package.json", () => {
  it("exports the faces of layers, and commands that have a source", () => {
    expect(manifestViolations(manifest, projectHas)).toEqual([]);
  });

  it("has a version that the change log has too", () => {
    expect(readText("CHANGELOG.md").text).toContain(`## [${manifest.version}]`);
  });

  it("is found with subpaths that are not a layer's index", () => {
    const bad = {
      version: "1.0.0",
      exports: { "./node": "./dist/node/index.js", "./a": "./dist/a/index.js", "./server": "./dist/server/view.js" },
      bin: { rocket: "./dist/cli/none.js" },
    };
    expect(manifestViolations(bad, (path) => path === "src/node/index.ts" || path === "src/server/index.ts")).toEqual([
      "./a points to ./dist/a/index.js, which is not a layer's index",
      "./server points to ./dist/server/view.js, which is not a layer's index",
      "the command rocket points to ./dist/cli/none.js, which has no source",
    ]);
  });
});
