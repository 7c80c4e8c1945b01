import { describe, expect, it } from "vitest";
import {
  importCycles,
  importsOf,
  layerTable,
  layerViolations,
  scaffoldFolderViolations,
  serverFolderViolations,
} from "./layers.ts";
import { readSources, source } from "./project.ts";

const sources = readSources();

describe("the layers of src", () => {
  it("import what the table allows, and only through faces", () => {
    expect(layerViolations(sources)).toEqual([]);
  });

  it("have folders in the server that import what their table allows, of which few know both ways to a stream", () => {
    expect(serverFolderViolations(sources)).toEqual([]);
  });

  it("have folders in the scaffold that import what their table allows: its service knows no database", () => {
    expect(scaffoldFolderViolations(sources)).toEqual([]);
  });

  it("have no cycles of imports, types included", () => {
    expect(importCycles(sources)).toEqual([]);
  });

  it("each have an index.ts", () => {
    const layers = new Set(sources.map(({ path }) => path.split("/")[1] ?? ""));
    const faces = new Set(sources.map(({ path }) => path));
    expect(layers.size).toBeGreaterThan(0);
    expect([...layers].filter((layer) => !faces.has(`src/${layer}/index.ts`))).toEqual([]);
  });
});

describe("the layer table", () => {
  it("keeps server and client apart", () => {
    expect(layerTable.server).not.toContain("client");
    expect(layerTable.client).not.toContain("server");
  });

  it("has no cycle itself", () => {
    const tiers = Object.entries(layerTable).map(([layer, below]) =>
      source(`src/${layer}/index.ts`, below.map((name) => `import "../${name}/index.ts";`).join("\n")),
    );
    expect(importCycles(tiers)).toEqual([]);
  });
});

describe("the rule for the server's folders", () => {
  it.each([
    ["src/server/direct/a.ts", "../stream/hub.ts", "direct must not import ../stream/hub.ts"],
    ["src/server/derived/a.ts", "../direct/view.ts", "derived must not import ../direct/view.ts"],
    ["src/server/stream/a.ts", "../direct/view.ts", "stream must not import ../direct/view.ts"],
  ])("finds in %s an import of %s", (path, specifier, trouble) => {
    const file = source(path, `import { b } from "${specifier}";`);
    expect(serverFolderViolations([file])).toEqual([`${path}:1 ${trouble}`]);
  });

  it("lets the hub know both", () => {
    const text =
      'import { a } from "../direct/a.ts";\nimport { b } from "../derived/b.ts";\nimport { c } from "../viewer.ts";';
    expect(serverFolderViolations([source("src/server/stream/hub.ts", text)])).toEqual([]);
  });
});

describe("the rule for the scaffold's folders", () => {
  it.each([
    ["src/scaffold/rest/a.ts", "../sqlite/driver.ts", "rest must not import ../sqlite/driver.ts"],
    ["src/scaffold/rest/a.ts", "../postgres/engine/sql.ts", "rest must not import ../postgres/engine/sql.ts"],
    ["src/scaffold/rest/a.ts", "../scaffold.ts", "rest must not import ../scaffold.ts"],
    ["src/scaffold/engine/a.ts", "../rest/read.ts", "engine must not import ../rest/read.ts"],
    ["src/scaffold/sqlite/journal/a.ts", "../../rest/read.ts", "sqlite must not import ../../rest/read.ts"],
    ["src/scaffold/sqlite/a.ts", "./engine/reader.ts", "sqlite must not import ./engine/reader.ts"],
    ["src/scaffold/postgres/a.ts", "../sqlite/schema.ts", "postgres must not import ../sqlite/schema.ts"],
  ])("finds in %s an import of %s", (path, specifier, trouble) => {
    const file = source(path, `import type { B } from "${specifier}";`);
    expect(scaffoldFolderViolations([file])).toEqual([`${path}:1 ${trouble}`]);
  });

  it("finds a folder that is not in the table", () => {
    expect(scaffoldFolderViolations([source("src/scaffold/mysql/a.ts", "")])).toHaveLength(1);
  });

  it("lets an engine and the files beside the folders through", () => {
    const engine = source(
      "src/scaffold/sqlite/engine/a.ts",
      'import { b } from "../../rest/read.ts";\nimport "../driver.ts";',
    );
    const beside = source("src/scaffold/a.ts", 'import { b } from "./sqlite/driver.ts";');
    expect(scaffoldFolderViolations([engine, beside])).toEqual([]);
  });
});

describe("the layer rule", () => {
  it.each([
    [
      "a layer above",
      "src/protocol/a.ts",
      'import { b } from "../server/index.ts";',
      "protocol must not import server",
    ],
    [
      "a type of a layer above",
      "src/server/a.ts",
      'import type { B } from "../node/index.ts";',
      "server must not import node",
    ],
    ["an inline type", "src/server/a.ts", 'type A = import("../client/index.ts").B;', "server must not import client"],
    ["a re-export", "src/client/a.ts", 'export { b } from "../server/index.ts";', "client must not import server"],
    [
      "a file past a face",
      "src/node/a.ts",
      'import { b } from "../server/view.ts";',
      "imports ../server/view.ts past the face of server",
    ],
    [
      "a file past a face from deeper",
      "src/scaffold/sqlite/a.ts",
      'import "../../server/b.ts";',
      "imports ../../server/b.ts past the face of server",
    ],
    [
      "a built-in module in a portable layer",
      "src/testing/a.ts",
      'import { b } from "node:fs";',
      "testing must not import node:fs",
    ],
    ["a package in a portable layer", "src/server/a.ts", 'import b from "ws";', "server must not import ws"],
    [
      "a package of React's neighbourhood",
      "src/react/a.ts",
      'import b from "react-dom/client";',
      "react must not import react-dom/client",
    ],
    ["react from the command", "src/cli/a.ts", 'import "../react/index.ts";', "cli must not import react"],
    [
      "a specifier without .ts",
      "src/node/a.ts",
      'import { b } from "./b.js";',
      "imports ./b.js, which doesn't say .ts",
    ],
    [
      "a test",
      "src/node/a.ts",
      'import { b } from "../../tests/b.ts";',
      "imports ../../tests/b.ts, which is in no layer",
    ],
  ])("finds %s", (_, path, text, trouble) => {
    expect(layerViolations([source(path, text)])).toEqual([`${path}:1 ${trouble}`]);
  });

  it("finds files outside the layers", () => {
    expect(layerViolations([source("src/util/a.ts", ""), source("src/a.ts", "")])).toHaveLength(2);
  });

  it("lets through what is allowed", () => {
    const own = 'import { b } from "./b.ts";\nimport ws from "ws";\n';
    const text = `import { a } from "../protocol/index.ts";\nimport { c } from "../server/inner.ts";\n${own}`;
    expect(layerViolations([source("src/node/a.ts", text)])).toEqual([]);
  });

  it("does not read imports in comments and strings", () => {
    const text = '// import "../server/a.ts"\nconst a = `import "../server/b.ts"`;\nArray.from("x");\n';
    expect(importsOf(source("src/protocol/a.ts", text))).toEqual([]);
  });
});

describe("the cycle rule", () => {
  it("finds a cycle that a type import closes", () => {
    const files = [
      source("src/server/a.ts", 'import { b } from "./b.ts";'),
      source("src/server/b.ts", 'export { c } from "./c.ts";'),
      source("src/server/c.ts", 'import type { A } from "./a.ts";'),
    ];
    expect(importCycles(files)).toEqual(["src/server/a.ts → src/server/b.ts → src/server/c.ts → src/server/a.ts"]);
  });
});
