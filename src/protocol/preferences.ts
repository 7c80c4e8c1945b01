import type { Field } from "./message.ts";
import { listGap, memberEnd, parameter, parameterValue, TextScanner } from "./text-scanner.ts";

const preference =
  /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\]|\\.)*)"))?[ \t]*/y;
const rest = /[^,]*/y;

/**
 * What a request prefers (RFC 7240): values in lower case, empty where there is none, by names in lower case. The first of
 * each name counts; what is malformed is left out.
 */
export function parsePreferences(fields: readonly Field[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [field, list] of fields) {
    if (field.toLowerCase() !== "prefer") continue;
    const scanner = new TextScanner(list);
    for (scanner.take(listGap); !scanner.isAtEnd; scanner.take(listGap)) {
      const [, name = "", token, quoted] = scanner.take(preference) ?? [];
      while (scanner.take(parameter));
      const key = name.toLowerCase();
      if (!scanner.take(memberEnd)) scanner.take(rest);
      else if (key !== "" && !values.has(key)) values.set(key, parameterValue(token, quoted).toLowerCase());
    }
  }
  return values;
}

/**
 * Whether a request says `Prefer: handling=strict` (RFC 7240 §4.4): lost history is then a 410, not a fresh 200
 * [R-RES-4]. The first `handling` counts.
 */
export function prefersStrict(fields: readonly Field[]): boolean {
  return parsePreferences(fields).get("handling") === "strict";
}

/**
 * How many seconds a request is ready to wait: `Prefer: wait=20` (RFC 7240 §4.3). The first `wait` counts; `undefined`
 * where there is none, or no whole number.
 */
export function preferredWaitSeconds(fields: readonly Field[]): number | undefined {
  const wait = parsePreferences(fields).get("wait") ?? "";
  return /^[0-9]+$/.test(wait) ? Number(wait) : undefined;
}
