import { readFileSync } from "node:fs";

/** The first block of code under a heading of docs: what users copy is what is tested. @throws Error where there is none */
export function documentedBlock(document: string, heading: string): string {
  const page = readFileSync(new URL(`../../docs/${document}`, import.meta.url), "utf8");
  const section = page.split(/^#{2,3} /m).find((text) => text.startsWith(heading));
  const code = /^```\w*\n([\s\S]*?)^```$/m.exec(section ?? "")?.[1];
  if (code === undefined) throw new Error(`docs/${document} has no block of code under ${heading}.`);
  return code;
}

/** The text with each of these replaced. @throws Error where one is not there */
export function replaced(text: string, changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((before, [from, to]) => {
    if (!before.includes(from)) throw new Error(`There is no ${JSON.stringify(from)} in:\n${before}`);
    return before.replaceAll(from, to);
  }, text);
}
