import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { closeCodes, decodeRequest, decodeResponse, retryClass } from "../../src/protocol/index.ts";
import { gaps, waiting } from "./requirement-gaps.ts";
import { citationsIn, definedIds, namedIds, requirementViolations } from "./requirements.ts";

const root = new URL("../../", import.meta.url);
const specification = readFileSync(new URL("PROTOCOL.md", root), "utf8");
const defined = definedIds(specification);
const own = new Set(["requirements.ts", "requirements.test.ts", "requirement-gaps.ts"]);

/** The TypeScript and JSON files below a folder, as paths from the root and texts. */
function filesBelow(folder: string): { path: string; text: string }[] {
  return readdirSync(fileURLToPath(new URL(folder, root)), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(?:ts|json)$/.test(entry.name) && !own.has(entry.name))
    .map((entry) => {
      const path = `${entry.parentPath}/${entry.name}`;
      return { path: path.slice(path.indexOf(folder)), text: readFileSync(path, "utf8") };
    });
}

function citationsBelow(folder: string): ReturnType<typeof citationsIn> {
  return filesBelow(folder).flatMap(({ path, text }) => citationsIn(path, text));
}

/** The examples of the specification that are messages: `http` blocks that begin with a start line. */
function examples(): string[] {
  const blocks = [...specification.matchAll(/^```http\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
  return blocks
    .filter((code) => /^[^\n]*HTTP\/1\.1/.test(code) && !code.includes("Upgrade: websocket"))
    .map((code) => (code.endsWith("\n\n") ? code : code.slice(0, -1)));
}

describe("the specification's requirements", () => {
  it("are each cited by a test, or excused with a reason, and no test cites another", () => {
    expect(requirementViolations(defined, citationsBelow("tests/"), gaps, waiting)).toEqual([]);
  });

  it("are the only ones that the sources and the specification name", () => {
    const known = new Set(defined);
    expect(citationsBelow("src/").filter(({ id }) => !known.has(id))).toEqual([]);
    expect(namedIds(specification).filter((id) => !known.has(id))).toEqual([]);
  });

  it("are numbered without holes in each area", () => {
    const numbers: Record<string, number[]> = {};
    for (const id of defined) {
      const [, area = "", number] = id.split("-");
      numbers[area] = [...(numbers[area] ?? []), Number(number)];
    }
    for (const list of Object.values(numbers)) expect(list).toEqual(list.map((_, index) => index + 1));
    expect(defined.length).toBeGreaterThan(60);
  });
});

describe("the specification's examples", () => {
  it.each(examples())("are messages: %s", (code) => {
    const message = code.startsWith("HTTP/1.1") ? decodeResponse(code) : decodeRequest(code);
    expect(message.fields.length).toBeGreaterThan(0);
  });

  it("of close codes say the same as the table in the code", () => {
    const rows = [...specification.matchAll(/^\| ([0-9 ]+) \| [^|]+ \| (stop|retry|fatal|credentials) \|$/gm)];
    const written = rows.flatMap(([, codes = "", retry]) => codes.split(" ").map((code) => [Number(code), retry]));
    const byCode = (a: readonly unknown[], b: readonly unknown[]): number => Number(a[0]) - Number(b[0]);
    expect(written.sort(byCode)).toEqual(closeCodes.map(({ code }) => [code, retryClass(code)]));
  });
});

describe("the rule for requirements", () => {
  const cited = [{ id: "R-A-1", path: "a.test.ts" }];

  it("finds those that nobody cites and those that don't exist", () => {
    expect(requirementViolations(["R-A-1", "R-A-2"], [...cited, { id: "R-B-1", path: "b.test.ts" }], {}, {})).toEqual([
      "b.test.ts cites R-B-1, which is not defined",
      "no test cites R-A-2",
    ]);
  });

  it("finds gaps without a reason, without a requirement, and those that were closed", () => {
    const found = requirementViolations(
      ["R-A-1", "R-A-2"],
      cited,
      { "R-A-1": "can't be seen", "R-A-2": "" },
      {
        "R-C-1": "is being written",
      },
    );
    expect(found).toEqual([
      "the gap R-C-1 is not defined",
      "the gap R-A-2 has no reason",
      "the gap R-A-1 is cited, so it is none",
    ]);
  });

  it("finds ids that are defined twice", () => {
    const twice = definedIds("**[R-A-1]** a\n\n**[R-A-1]** b, see [R-A-9]\n");
    expect(requirementViolations(twice, cited, {}, {})).toEqual(["R-A-1 is defined twice"]);
  });

  it("reads citations from code and from vectors", () => {
    expect(citationsIn("a.ts", 'it("x [R-A-1] [R-A-2]")')).toEqual([
      { id: "R-A-1", path: "a.ts" },
      { id: "R-A-2", path: "a.ts" },
    ]);
    expect(citationsIn("a.json", '{"requirement": "R-A-3", "name": "[R-A-1]"}')).toEqual([
      { id: "R-A-3", path: "a.json" },
    ]);
  });
});
