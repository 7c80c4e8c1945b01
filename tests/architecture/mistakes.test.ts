import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { typeCheckFences } from "./documents.ts";
import { root } from "./project.ts";

const folder = "dist/.mistakes-sample";

afterAll(() => rmSync(join(root, folder), { recursive: true, force: true }));

const mistakes = [
  [
    'client.collection<Row>("/a", { where: { nme: 1 } })',
    /'nme' does not exist in type 'Where<Row>'\. Did you mean to write 'name'\?$/,
  ],
  ['client.collection<Row>("/a", { where: { id: "x" } })', /Type 'string' is not assignable to type 'number \|/],
  [
    'client.collection<Row>("/a", { where: { id: { over: 2 } } })',
    /'over' does not exist in type 'Conditions<number>'\.$/,
  ],
  ['client.collection<Row>("/a", { order: "nme" })', /Did you mean '"name"'\?$/],
  ['client.collection<Row>("/a").create({ nme: "x" })', /'nme' does not exist in type 'Partial<Row>'/],
] as const;

it("What names no member of a row is one error in the editor, which says what is wrong", async () => {
  const head = `import { createClient } from "rocket-rest/client";
interface Row { id: number; name: string }
const client = createClient();
`;
  const text = `\`\`\`ts\n${head}${mistakes.map(([code]) => `${code};\n`).join("")}\`\`\`\n`;
  const found = await typeCheckFences([{ path: "docs/a.md", text }], folder);
  expect(found).toEqual(mistakes.map(([, message]) => expect.stringMatching(message)));
  expect(found.map((error) => /^docs\/a\.md:(\d+):/.exec(error)?.[1])).toEqual(mistakes.map((_, at) => `${at + 5}`));
});
