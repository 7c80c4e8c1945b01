import { type Condition, isSearch, isTest, type TestOperator } from "../../../filter/index.ts";
import type { Operator } from "../../engine/value-type.ts";
import type { SqlValue } from "../schema.ts";
import type { StoredType } from "./value-kind.ts";
import { type Resolved, resolvePart } from "./value-text.ts";

const orders: ReadonlySet<Operator> = new Set<Operator>(["gt", "gte", "lt", "lte"]);

/** Why a column's values have no order among which a value could stand; `undefined` where it could. */
function whyNoOrder({ kind, numbersOnly }: StoredType, value: SqlValue): string | undefined {
  const isNumber = typeof value === "number" || typeof value === "bigint";
  if (kind === "json") return "JSON has no order.";
  if (kind === "base64") return value instanceof Uint8Array ? undefined : "bytes are sent as base64 with its padding.";
  if (kind === "boolean") return isNumber ? undefined : "it takes true or false.";
  return numbersOnly && !isNumber ? "that is no number." : undefined;
}

const noTests: Readonly<Partial<Record<TestOperator, string>>> = {
  match: "SQLite has no regular expressions.",
  imatch: "SQLite has no regular expressions.",
  wfts: '"wfts" is there on PostgreSQL alone; "fts" takes what FTS5 takes.',
};

/** Why SQLite has no such test; `undefined` where it has. */
function whyNoTest(operator: TestOperator, isSearched: boolean): string | undefined {
  if (!isSearch(operator))
    return noTests[operator] ?? `"${operator}" is there for PostgreSQL's arrays and ranges alone.`;
  return noTests[operator] ?? (isSearched ? undefined : "no table of FTS5 has it as its content.");
}

/** The value that a filter compares with, or why it can't be. */
export function readLiteral(
  type: StoredType & { readonly isSearched?: boolean },
  operator: Operator,
  text: string,
): Resolved {
  const { kind, numbersOnly, isSearched = false } = type;
  if (isTest(operator)) {
    const trouble = whyNoTest(operator, isSearched) ?? (text.includes("\0") ? "no search has a NUL." : undefined);
    return trouble === undefined ? { value: text } : { detail: trouble };
  }
  if (operator === "like" || operator === "ilike") {
    const isNoText = numbersOnly || kind === "boolean" || kind === "json" || kind === "base64";
    return isNoText ? { detail: "only texts look like a pattern." } : { value: text };
  }
  if (operator === "is") {
    return text === "null" || kind === "boolean" ? { value: text } : { detail: "it is no boolean." };
  }
  const resolved = resolvePart(type, text);
  if ("detail" in resolved || !orders.has(operator)) return resolved;
  const detail = whyNoOrder(type, resolved.value);
  return detail === undefined ? resolved : { detail };
}

/** Whether a condition needs the order of texts. */
export function needsTextOrder(condition: Condition<unknown, unknown>): boolean {
  return condition.kind === "compare" && orders.has(condition.relation) && typeof condition.literal === "string";
}
