/** Longer ones are no number that anybody means to store as one. */
const maxLength = 400;

const numeral = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;
const spaces = " \t\n\v\f\r";

/** Without the spaces around it that SQLite passes over. */
function withoutSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && spaces.includes(text[start] ?? "")) start += 1;
  while (end > start && spaces.includes(text[end - 1] ?? "")) end -= 1;
  return text.slice(start, end);
}

/** One text for all numerals of one number: its digits without zeros around them, and their exponent. */
function normalForm(text: string): string | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] = numeral.exec(withoutSpaces(text)) ?? [];
  if (sign === undefined || whole + fraction === "") return undefined;
  const digits = whole + fraction;
  let start = 0;
  while (digits[start] === "0") start += 1;
  if (start === digits.length) return "0";
  let end = digits.length;
  while (digits[end - 1] === "0") end -= 1;
  const power = Number(exponent) - fraction.length + (digits.length - end);
  return `${sign === "-" ? "-" : ""}${digits.slice(start, end)}e${power}`;
}

function isDouble(text: string, value: number): boolean {
  const wanted = normalForm(text);
  // Some programs write 17 digits of a double where fewer would do.
  return wanted !== undefined && [String(value), value.toPrecision(17)].some((one) => normalForm(one) === wanted);
}

/**
 * The number that SQLite can store for a numeral; `undefined` where it is no numeral, or where digits of it would be lost.
 *
 * @param takesIntegers - whether integers beyond 2^53 are stored as integers, and not as doubles
 */
export function exactNumber(text: string, takesIntegers: boolean): number | bigint | undefined {
  if (text.length > maxLength) return undefined;
  // How infinity is written in JSON.
  if (text === "1e999" || text === "-1e999")
    return text === "1e999" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (takesIntegers && /^[+-]?\d+$/.test(withoutSpaces(text)) && !/^-0+$/.test(withoutSpaces(text))) {
    const integer = BigInt(withoutSpaces(text).replace("+", ""));
    if (BigInt.asIntN(64, integer) === integer) return toSafe(integer);
  }
  const value = Number(text);
  return Number.isFinite(value) && isDouble(text, value) ? value : undefined;
}

function toSafe(integer: bigint): number | bigint {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** Whether a text is a number, whatever becomes of its digits. */
export function isNumeral(text: string): boolean {
  return text.length > maxLength ? /^[\d.eE+-]+$/.test(text) : normalForm(text) !== undefined;
}
