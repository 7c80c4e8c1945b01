import { encodeUrlPart } from "./url-template.ts";

/** The order of a list: by the first member, where equal by the next, and so on. */
export type ItemOrder = readonly {
  /** The row's member. */
  readonly name: string;
  readonly descending: boolean;
}[];

/** Reads an `Item-Order` field, `name.desc,id.asc`; `undefined` where it is malformed [R-FLD-5]. */
export function parseItemOrder(text: string): ItemOrder | undefined {
  const order: { name: string; descending: boolean }[] = [];
  for (const part of text.split(",")) {
    const match = /^[ \t]*((?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)\.(asc|desc)[ \t]*$/.exec(part);
    if (!match) return undefined;
    const [, name = "", direction] = match;
    try {
      order.push({ name: decodeURIComponent(name), descending: direction === "desc" });
    } catch {
      return undefined;
    }
  }
  return order;
}

/**
 * Writes an `Item-Order` field. In a name, all but letters, digits, `-`, `.`, `_` and `~` is percent-encoded.
 *
 * @throws TypeError where the order or a name in it is empty
 */
export function formatItemOrder(order: ItemOrder): string {
  if (order.length === 0 || order.some(({ name }) => name === "")) {
    throw new TypeError("An item order needs a name in each part, and at least one part.");
  }
  return order.map(({ name, descending }) => `${encodeUrlPart(name)}.${descending ? "desc" : "asc"}`).join(",");
}

/** NULL, then booleans, then numbers, then text, then what has no order. */
function rank(value: unknown): number {
  if (value === null || value === undefined) return 0;
  switch (typeof value) {
    case "boolean":
      return 1;
    case "number":
    case "bigint":
      return 2;
    case "string":
      return 3;
    default:
      return 4;
  }
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800;
}

/** By code point, which is also the order of the UTF-8 bytes; `<` on strings goes by UTF-16 units. */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left === right) continue;
    if (isSurrogate(left) !== isSurrogate(right)) return isSurrogate(left) ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}

function compareValues(a: unknown, b: unknown): number {
  const left = rank(a);
  if (left !== rank(b)) return left - rank(b);
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  if ((typeof a === "number" || typeof a === "bigint") && (typeof b === "number" || typeof b === "bigint")) {
    return a < b ? -1 : a > b ? 1 : 0;
  }
  return 0;
}

function memberOf(row: unknown, name: string): unknown {
  return typeof row === "object" && row !== null && Object.hasOwn(row, name) ? Reflect.get(row, name) : undefined;
}

/**
 * A comparison for rows: NULL lowest, false before true, numbers by value, text by code point; of different types, in
 * that order [R-FLD-6].
 */
export function compareByItemOrder(order: ItemOrder): (a: unknown, b: unknown) => number {
  return (a, b) => {
    for (const { name, descending } of order) {
      const result = compareValues(memberOf(a, name), memberOf(b, name));
      if (result !== 0) return descending ? -result : result;
    }
    return 0;
  };
}
