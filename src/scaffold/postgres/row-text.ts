import type { Text } from "./driver.ts";

/** Where a pattern with the flag g is found at or after a place; -1 where it is not. */
function findFrom(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start;
  return pattern.exec(text)?.index ?? -1;
}

/** Reads a quoted part that begins after its quote; gives its text and where it ends. */
function readQuoted(text: string, start: number): { readonly value: string; readonly end: number } {
  let value = "";
  for (let at = start; at < text.length; ) {
    const next = findFrom(/["\\]/g, text, at);
    if (next < 0) break;
    value += text.slice(at, next);
    if (text[next] === "\\" || text[next + 1] === '"') {
      value += text[next + 1] ?? "";
      at = next + 2;
    } else {
      return { value, end: next + 1 };
    }
  }
  throw new SyntaxError(`This text has no end: ${text}`);
}

/**
 * A row's values from the text that PostgreSQL makes of it: `(1,"a b",)`.
 *
 * @throws SyntaxError where it is no such text
 */
export function parseRow(text: string): Text[] {
  if (!text.startsWith("(") || !text.endsWith(")")) throw new SyntaxError(`This is no row: ${text}`);
  const values: Text[] = [];
  let at = 1;
  while (at < text.length) {
    if (text[at] === '"') {
      const { value, end } = readQuoted(text, at + 1);
      values.push(value);
      at = end;
    } else {
      const end = findFrom(/[,)]/g, text, at);
      values.push(end === at ? null : text.slice(at, end));
      at = end;
    }
    at += 1;
  }
  return values;
}

/** What an array's text holds: texts, and arrays where it has more than one dimension. */
export type ArrayItem = Text | readonly ArrayItem[];

/** Reads arrays' texts, `{1,NULL,"a b"}`, one item after another. */
class ArrayReader {
  readonly #text: string;
  readonly #delimiter: string;
  #at: number;

  constructor(text: string, delimiter: string) {
    this.#text = text;
    this.#delimiter = delimiter;
    // Bounds that are not the usual ones stand before it: `[0:1]={1,2}`.
    this.#at = text.startsWith("[") ? text.indexOf("=") + 1 : 0;
  }

  read(): ArrayItem[] {
    if (this.#text[this.#at] !== "{") throw new SyntaxError(`This is no array: ${this.#text}`);
    const items: ArrayItem[] = [];
    this.#at += 1;
    while (this.#text[this.#at] !== "}") {
      items.push(this.#item());
      if (this.#text[this.#at] === this.#delimiter) this.#at += 1;
      if (this.#at >= this.#text.length) throw new SyntaxError(`This array has no end: ${this.#text}`);
    }
    this.#at += 1;
    return items;
  }

  #item(): ArrayItem {
    const first = this.#text[this.#at];
    if (first === "{") return this.read();
    if (first === '"') {
      const { value, end } = readQuoted(this.#text, this.#at + 1);
      this.#at = end;
      return value;
    }
    const start = this.#at;
    while (this.#at < this.#text.length && !["}", this.#delimiter].includes(this.#text[this.#at] ?? "")) this.#at += 1;
    const value = this.#text.slice(start, this.#at);
    return value === "NULL" ? null : value;
  }
}

/**
 * An array's items from its text.
 *
 * @param delimiter - what stands between items: a comma, but for `box`
 * @throws SyntaxError where it is no such text
 */
export function parseArray(text: string, delimiter: string): ArrayItem[] {
  return new ArrayReader(text, delimiter).read();
}
