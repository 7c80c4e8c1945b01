import type { Condition } from "../../../filter/index.ts";
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

/** The value that a filter compares with, or why it can't be. */
export function readLiteral(type: StoredType, operator: Operator, text: string): Resolved {
  const { kind, numbersOnly } = type;
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
