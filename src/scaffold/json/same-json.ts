import { isJsonObject } from "./json.ts";
import { JsonNumber } from "./json-reader.ts";

/** A number as its digits and where its point is, so that equal ones are the same text. */
function numeral(json: number | JsonNumber): string {
  const text = json instanceof JsonNumber ? json.text : String(json);
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  const short = digits.slice(0, end);
  if (short === "") return "0";
  return `${sign}${short}e${BigInt(exponent) + BigInt(digits.length - short.length - fraction.length)}`;
}

function isNumber(json: unknown): json is number | JsonNumber {
  return typeof json === "number" || json instanceof JsonNumber;
}

/** The values of two arrays or objects, in pairs; `undefined` where they can't be the same. */
function pairsOf(one: unknown, other: unknown): [unknown, unknown][] | undefined {
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length ? one.map((value, at) => [value, other[at]]) : undefined;
  }
  if (!isJsonObject(one) || !isJsonObject(other)) return undefined;
  const names = Object.keys(one);
  const isSame = names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name));
  return isSame ? names.map((name) => [one[name], other[name]]) : undefined;
}

/** Whether two values are the same as RFC 6902 §4.6 has it: numbers by value, objects whatever their order. */
export function isSameJson(one: unknown, other: unknown): boolean {
  const open: [unknown, unknown][] = [[one, other]];
  for (let pair = open.pop(); pair; pair = open.pop()) {
    const [left, right] = pair;
    if (left === right) continue;
    if (isNumber(left) && isNumber(right)) {
      if (numeral(left) !== numeral(right)) return false;
      continue;
    }
    const pairs = pairsOf(left, right);
    if (!pairs) return false;
    for (const inner of pairs) open.push(inner);
  }
  return true;
}
