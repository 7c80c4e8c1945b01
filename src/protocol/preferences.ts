import type { Field } from "./message.ts";

/** A preference's name and value, in lower case, without its parameters and quotes. */
function parsePreference(text: string): readonly [name: string, value: string] {
  const [preference = ""] = text.split(";", 1);
  const [name = "", value = ""] = preference.split("=", 2);
  const bare = value.trim();
  const unquoted = bare.length > 1 && bare.startsWith('"') && bare.endsWith('"') ? bare.slice(1, -1) : bare;
  return [name.trim().toLowerCase(), unquoted.toLowerCase()];
}

/**
 * Whether a request says `Prefer: handling=strict` (RFC 7240 §4.4): lost history is then a 410, not a fresh 200
 * [R-RES-4]. The first `handling` counts.
 */
export function prefersStrict(fields: readonly Field[]): boolean {
  for (const [field, list] of fields) {
    if (field.toLowerCase() !== "prefer") continue;
    for (const part of list.split(",")) {
      const [name, value] = parsePreference(part);
      if (name === "handling") return value === "strict";
    }
  }
  return false;
}
