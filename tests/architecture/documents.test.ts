import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, inject, it } from "vitest";
import { errorCodes } from "../../src/protocol/index.ts";
import {
  fencesOf,
  fenceViolations,
  layerMapViolations,
  linkViolations,
  projectHas,
  typeCheckFences,
} from "./documents.ts";
import { errorCodeViolations } from "./errors.ts";
import { listFiles, readSources, readText, root, source, type TextFile } from "./project.ts";

const expected = [
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "PROTOCOL.md",
  "README.md",
  "SECURITY.md",
  "docs/errors.md",
];
const documents = listFiles()
  .filter((path) => path.endsWith(".md"))
  .map(readText);
const page = (text: string): TextFile => ({ path: "docs/a.md", text });
const scratch = ["dist/.docs", "dist/.docs-sample"];

afterAll(() => {
  for (const folder of scratch) rmSync(join(root, folder), { recursive: true, force: true });
});

describe("the documents", () => {
  it("are all there", () => {
    expect(expected.filter((path) => !projectHas(path))).toEqual([]);
  });

  it("have code that type-checks against the built package", async () => {
    expect(inject("buildError")).toBe("");
    expect(await typeCheckFences(documents, "dist/.docs")).toEqual([]);
  });

  it("mark all their code as ts or tsx", () => {
    expect(fenceViolations(documents)).toEqual([]);
  });

  it("link to files that are there", () => {
    expect(linkViolations(documents, projectHas)).toEqual([]);
  });

  it("show each layer in ARCHITECTURE.md, and no other", () => {
    const layers = new Set(readSources().map(({ path }) => path.split("/")[1] ?? ""));
    expect(layerMapViolations(readText("ARCHITECTURE.md"), [...layers])).toEqual([]);
  });

  it("explain each error code in docs/errors.md, and each code is thrown", () => {
    expect(errorCodeViolations(Object.keys(errorCodes), readText("docs/errors.md"), readSources())).toEqual([]);
  });
});

describe("the rules for documents", () => {
  it("find code that does not type-check, at its line", async () => {
    const good =
      "```ts\nimport { errorCodes } from 'rocket-rest/protocol';\nconsole.log(Object.keys(errorCodes));\n```\n";
    const bad =
      "text\n\n```ts\nimport { errorCodes } from 'rocket-rest/protocol';\nconst a: number = errorCodes;\n```\n";
    const found = await typeCheckFences([page(good), { path: "docs/b.md", text: bad }], "dist/.docs-sample");
    expect(found).toEqual([expect.stringMatching(/^docs\/b\.md:5: error TS2322/)]);
  });

  it("find components that do not type-check", async () => {
    const text =
      "```tsx\nimport { RocketProvider } from 'rocket-rest/react';\n\nexport const a = <RocketProvider>b</RocketProvider>;\n```\n";
    const found = await typeCheckFences([page(text)], "dist/.docs-sample");
    expect(found).toEqual([expect.stringMatching(/^docs\/a\.md:4: error TS2741/)]);
  });

  it("find code that imports what the package does not have", async () => {
    const text = "```ts\nimport { nothing } from 'rocket-rest/protocol';\nimport 'rocket-rest/nowhere';\n```\n";
    const found = await typeCheckFences([page(text)], "dist/.docs-sample");
    expect(found).toEqual([
      expect.stringMatching(/^docs\/a\.md:2: error TS2305/),
      expect.stringMatching(/^docs\/a\.md:3: error TS2\d+/),
    ]);
  });

  it("read fences with their language and line", () => {
    const text = "a\n```ts\nb\n```\n\n```sh\n$ c\n```\n~~~\nd\n~~~\n";
    expect(fencesOf(text)).toEqual([
      { language: "ts", line: 3, code: "b\n" },
      { language: "sh", line: 7, code: "$ c\n" },
      { language: "", line: 10, code: "d\n" },
    ]);
  });

  it("find code in another spelling", () => {
    const text = "```js\na\n```\n```http\nb\n```\n```ts no-check\nc\n```\n```jsx\nd\n```\n```tsx\ne\n```\n";
    expect(fenceViolations([page(text)])).toEqual([
      "docs/a.md:2 is js: write ts or tsx, so that it is checked",
      "docs/a.md:8 is ts no-check: write ts or tsx, so that it is checked",
      "docs/a.md:11 is jsx: write ts or tsx, so that it is checked",
    ]);
  });

  it("find links that lead nowhere", () => {
    const text = "[a](../README.md#top) [b](https://example.com/x) [c](#c)\n[d](d.md)\n";
    expect(linkViolations([page(text)], (path) => path === "README.md")).toEqual([
      "docs/a.md:2 links to d.md, which is not there",
    ]);
  });

  it("find layers that the map lacks or makes up", () => {
    expect(layerMapViolations(page("src/protocol/ is the wire, src/util/ the rest"), ["protocol", "server"])).toEqual([
      "docs/a.md does not show src/server/",
      "docs/a.md shows src/util/, which is not there",
    ]);
  });

  it("find error codes that are undocumented, unknown, doubled or never thrown", () => {
    const table = "| code | what |\n|---|---|\n| `b` | B |\n| `c` | C |\n| `b` | B |\n";
    const thrown = source("src/a/a.ts", '// new RocketError("b", "")\nthrow new RocketError(\n  "a",\n  "A",\n);\n');
    expect(errorCodeViolations(["a", "b"], page(table), [thrown])).toEqual([
      "a has no row in docs/a.md",
      "docs/a.md has a row for c, which is no code",
      "docs/a.md has two rows for b",
      "b is thrown nowhere",
    ]);
  });
});
