import type { Image, Value } from "../ports/journal.ts";

/** A text that two filter values share exactly when a filter takes them for equal. */
export function valueKey(value: Value | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number" || typeof value === "bigint") return `n${value}`;
  if (value instanceof Uint8Array) return `b${Array.from(value).join()}`;
  return `${typeof value === "string" ? "s" : "t"}${value}`;
}

/** The columns of an image as one text; `undefined` where one of them is null, which no filter matches. */
export function imageKey(image: Image | undefined, columns: readonly string[]): string | undefined {
  if (!image) return undefined;
  const [only] = columns;
  if (only !== undefined && columns.length === 1) return valueKey(image[only]) || undefined;
  const keys: string[] = [];
  for (const column of columns) {
    const key = valueKey(image[column]);
    if (key === "") return undefined;
    keys.push(`${key.length}:${key}`);
  }
  return keys.join();
}
