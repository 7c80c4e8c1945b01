import { ownMember } from "./own-member.ts";
import { decodeUrlPart, encodeUrlPart } from "./url-template.ts";

/** The order of a list: by the first member, where equal by the next, and so on. */
export type ItemOrder = readonly {
  /** The row's member. */
  readonly name: string;
  readonly descending: boolean;
  /**
   * How values are compared where their JSON alone does not tell: as numbers, of which some are texts or booleans, or as
   * bytes in base64 [R-FLD-6].
   */
  readonly as?: "number" | "bytes";
  /** Where NULL stands, whatever the direction [R-FLD-6]. Default: it is lowest. */
  readonly nulls?: "first" | "last" | undefined;
}[];

const part = /^[ \t]*((?:[\w.~-]|%[0-9A-Fa-f]{2})+)\.(asc|desc)(?:-(number|bytes))?(?:-nulls(first|last))?[ \t]*$/;

/** Reads an `Item-Order` field, `name.desc,id.asc-number`; `undefined` where it is malformed [R-FLD-5]. */
export function parseItemOrder(text: string): ItemOrder | undefined {
  const order: ItemOrder[number][] = [];
  for (const one of text.split(",")) {
    const [, encoded, direction, as, nulls] = part.exec(one) ?? [];
    const name = encoded && decodeUrlPart(encoded);
    if (name === undefined) return undefined;
    const descending = direction === "desc";
    order.push({
      ...{ name, descending },
      ...(as === "number" || as === "bytes" ? { as } : {}),
      ...(nulls === "first" || nulls === "last" ? { nulls } : {}),
    });
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
  return order
    .map(({ name, descending, as, nulls }) => {
      const compared = `${as ? `-${as}` : ""}${nulls ? `-nulls${nulls}` : ""}`;
      return `${encodeUrlPart(name)}.${descending ? "desc" : "asc"}${compared}`;
    })
    .join(",");
}

const ranks: Readonly<Record<string, number>> = { boolean: 1, number: 2, bigint: 2, string: 3 };

/** NULL, then booleans, then numbers, then text, then what has no order. */
function rank(value: unknown): number {
  return value === null || value === undefined ? 0 : (ranks[typeof value] ?? 4);
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
    return Number(isSurrogate(left)) - Number(isSurrogate(right)) || left - right;
  }
  return a.length - b.length;
}

function compareValues(a: unknown, b: unknown): number {
  const type = rank(a);
  if (type !== rank(b) || type > 3) return type - rank(b);
  if (typeof a === "string") return compareText(a, String(b));
  const [left, right] = [a as number, b as number];
  return left < right ? -1 : left > right ? 1 : 0;
}

// Longer ones are no integers of 64 bits, and not read in linear time.
const bigInteger = /^-?[1-9][0-9]{15,18}$/;

/** What a value is to a comparison of numbers: a boolean is 0 or 1, a text of digits beyond 2^53 that integer. */
function asNumber(value: unknown): unknown {
  if (typeof value === "boolean") return Number(value);
  return typeof value === "string" && bigInteger.test(value) ? BigInt(value) : value;
}

const sextets = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** A base64 text as one that sorts by code point as its bytes do. */
function asBytes(value: unknown): unknown {
  if (typeof value !== "string") return value;
  return value.replace(/[^=]|=+/g, (digit) =>
    digit[0] === "=" ? "" : String.fromCharCode(sextets.indexOf(digit) + 1),
  );
}

/** NULL before all else. */
function compareNulls(a: unknown, b: unknown): number {
  return Number((b ?? null) === null) - Number((a ?? null) === null);
}

function comparedOf(row: unknown, { name, as }: ItemOrder[number]): unknown {
  const value = ownMember(row, name);
  return as === "number" ? asNumber(value) : as === "bytes" ? asBytes(value) : value;
}

/**
 * A comparison for rows: NULL lowest, false before true, numbers by value, text by code point; of different types, in
 * that order [R-FLD-6]. Members that are compared as numbers or bytes, or whose NULL stands elsewhere, as R-FLD-6 says.
 */
export function compareByItemOrder(order: ItemOrder): (a: unknown, b: unknown) => number {
  return (a, b) => {
    for (const one of order) {
      const nulls = one.nulls && compareNulls(ownMember(a, one.name), ownMember(b, one.name));
      if (nulls) return one.nulls === "first" ? nulls : -nulls;
      const result = compareValues(comparedOf(a, one), comparedOf(b, one));
      if (result !== 0) return one.descending ? -result : result;
    }
    return 0;
  };
}
