import { conditionsOf, type Filter, FilterError, mapFilter, parseFilter } from "../../filter/index.ts";
import { Refusal } from "../rest/refusal.ts";
import { parseTarget } from "../rest/target.ts";
import { always, claimIn, never } from "./claims.ts";
import type { RuleText } from "./rules.ts";

/** What is wrong with a rule, in a clause for a person. */
export class RuleTrouble extends Error {}

const notFilters = new Set(["select", "order", "limit", "offset", "after", "page", "per_page", "on_conflict"]);
const negatedGroup = /(?:^|[,(])not\.(?:and|or)\(/;

function filterOf(parameters: readonly (readonly [name: string, value: string])[]): Filter {
  const other = parameters.find(([name]) => notFilters.has(name));
  if (other) throw new RuleTrouble(`"${other[0]}" is no part of a rule`);
  if (parameters.some(([, value]) => /\bisdistinct\.\$/.test(value))) {
    throw new RuleTrouble('the operator "isdistinct" takes no claim');
  }
  const filter = parseFilter(parameters, true);
  // `not` stands at the conditions of what is read: behind a path, that would be another record.
  const hasPath = conditionsOf(filter).some(({ column }) => claimIn(column) === undefined && column.includes("."));
  if (hasPath && parameters.some(([name, value]) => name.startsWith("not.") || negatedGroup.test(value))) {
    throw new RuleTrouble("`not.and` and `not.or` can't stand before a path to another table");
  }
  return filter;
}

/** No claim is a pattern, for it might have a `*`, nor what only a database reads. */
function requirePlainPatterns(filter: Filter): void {
  for (const condition of conditionsOf(filter)) {
    if (condition.kind === "test" && claimIn(condition.literal) !== undefined) {
      throw new RuleTrouble(`the operator "${condition.operator}" of "${condition.column}" takes no claim`);
    }
    if (condition.kind !== "like") continue;
    const start = condition.pattern.slice(0, 2).map(({ kind, text }) => (kind === "literal" ? text : ""));
    if (/^\$\w/.test(start.join(""))) throw new RuleTrouble(`a pattern of "${condition.column}" takes no claim`);
  }
}

/**
 * Reads a rule. What it names is not looked for, and claims are texts still.
 *
 * @throws RuleTrouble where it can't be read
 */
export function parseRule(text: RuleText): Filter {
  if (typeof text === "boolean") return text ? always : never;
  if (typeof text !== "string") throw new RuleTrouble("it is neither a text nor true nor false");
  try {
    const filter = filterOf(parseTarget(`/?${text}`).parameters);
    requirePlainPatterns(filter);
    return filter;
  } catch (error) {
    if (error instanceof FilterError || error instanceof Refusal)
      throw new RuleTrouble(error.message.replace(/\.$/, ""));
    throw error;
  }
}

/** The same rule with a condition that any value can be asked for in place of each that has a claim. */
export function withoutClaims(rule: Filter): Filter {
  return mapFilter(rule, (condition): Filter => {
    if (claimIn(condition.column) !== undefined) return always;
    const { column } = condition;
    const literals =
      condition.kind === "compare" ? [condition.literal] : condition.kind === "in" ? condition.literals : [];
    const hasClaim = literals.some((text) => claimIn(text) !== undefined);
    return hasClaim ? { kind: "is", column, isNot: false, state: "null" } : condition;
  });
}
