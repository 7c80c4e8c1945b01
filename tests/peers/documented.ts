import { readFileSync } from "node:fs";

const page = readFileSync(new URL("../../docs/set-ups.md", import.meta.url), "utf8");

/** The block of code under a heading of docs/set-ups.md: what users copy is what is tested. @throws Error where there is none */
export function documentedBlock(heading: string): string {
  const section = page.split(/^#{2,3} /m).find((text) => text.startsWith(heading));
  const code = /^```\w*\n([\s\S]*?)^```$/m.exec(section ?? "")?.[1];
  if (code === undefined) throw new Error(`docs/set-ups.md has no block of code under ${heading}.`);
  return code;
}

/** The text with each of these replaced. @throws Error where one is not there */
export function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`There is no ${JSON.stringify(from)} in:\n${before}`);
    return before.replaceAll(from, to);
  }, text);
}
