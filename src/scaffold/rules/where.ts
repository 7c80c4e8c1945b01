import type { Claims } from "./claims.ts";

/** What {@link where} makes: a filter, and the values in it, which are never read as a part of its text. */
export class Where {
  /** The query of a GET, with a claim in each value's place. */
  readonly text: string;
  /** The values, by the claims' names. */
  readonly values: Claims;

  constructor(text: string, values: Claims) {
    this.text = text;
    this.values = values;
  }
}

/** The claim that a value stands for. No claim of a viewer's is named so. */
function nameOf(at: number): string {
  return `~${at}`;
}

/** A value as claims are; `undefined` for what no column is compared with. */
function claimOfValue(value: unknown): unknown {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value === "bigint") return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  return Array.isArray(value) ? value.map(claimOfValue) : undefined;
}

/**
 * A filter with values, for `rows` and for rules that are functions: `` where`owner=eq.${viewer.sub}` ``. A value stands
 * for itself, whatever characters it has; a list for all of its values, as in `` where`team=in.(${teams})` ``. Texts, numbers, big
 * integers, booleans and dates are values. A comparison with anything else (`undefined`, null, an object) is met by no
 * record. A value stands where an operator takes one, and nowhere else: not in a part of a text or a pattern.
 */
export function where(strings: TemplateStringsArray, ...values: unknown[]): Where {
  const text = strings.reduce((sum, part, at) => `${sum}$${nameOf(at - 1)}${part}`);
  return new Where(text, Object.fromEntries(values.map((value, at) => [nameOf(at), claimOfValue(value)])));
}
