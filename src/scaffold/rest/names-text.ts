import { Refusal } from "./refusal.ts";

/** A name, in double quotes or up to a comma, and the comma behind it. */
const item = /\s*"((?:[^"\\]|\\.)+)"\s*(,|$)|([^",]+)(,|$)/y;

/**
 * Reads a list of names: `id,"last, first"`.
 *
 * @param parameter - whose value it is
 * @throws Refusal 400 that says where it can't be read
 */
export function parseNames(parameter: string, text: string): string[] {
  const names: string[] = [];
  item.lastIndex = 0;
  for (;;) {
    const at = item.lastIndex;
    const [, quoted, quotedEnd, plain = "", plainEnd] = item.exec(text) ?? [];
    const name = quoted?.replace(/\\(.)/gs, "$1") ?? plain.trim();
    if (name === "") throw new Refusal(400, `In "${parameter}", a name was expected at character ${at + 1}.`);
    names.push(name);
    if ((quotedEnd ?? plainEnd) === "") return names;
  }
}
