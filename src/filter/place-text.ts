import { TextReader } from "./text-reader.ts";

/** Texts that would end, or begin, something else among others, or would be no value. */
const special = /[,()"\\]|^\s|\s$|^$|^null$/i;

/** Values in a list, `(1977,"a, b",null)`; null is no text. */
export function formatPlace(values: readonly (string | null)[]): string {
  const texts = values.map((value) => {
    if (value === null) return "null";
    return special.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
  });
  return `(${texts.join(",")})`;
}

/**
 * Reads what {@link formatPlace} writes.
 *
 * @param name - the parameter's, for what is said of it
 * @throws FilterError where it is malformed
 */
export function parsePlace(text: string, name: string): (string | null)[] {
  const reader = new TextReader(text, name);
  const values: (string | null)[] = [];
  reader.require("(");
  do {
    const isQuoted = reader.look(/^"/) !== null;
    const value = reader.value([",", ")"]);
    values.push(!isQuoted && value === "null" ? null : value);
  } while (reader.passOver(","));
  reader.require(")");
  reader.requireEnd();
  return values;
}
