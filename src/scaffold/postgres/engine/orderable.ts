import { normalized } from "../value.ts";

/** How many digits an exponent is written with, and what is added so that it has no sign. */
const exponentDigits = 12;
const exponentBias = 5e11;

/** Each digit as what is missing to nine, so that greater numbers come first. */
function complement(text: string): string {
  return text.replace(/\d/g, (digit) => String(9 - Number(digit)));
}

/**
 * A numeral as a text that is the same for the same number, and sorts by code point as the numbers do; NaN above all, as
 * in PostgreSQL.
 */
export function orderableNumeral(text: string): string {
  if (text === "NaN") return "r";
  if (/^-?Infinity$/.test(text)) return text.startsWith("-") ? "m" : "q";
  const normal = normalized(text);
  if (normal === "0") return "o";
  const [, sign, digits = "", exponent = "0"] = /^(-?)(\d+)e(-?\d+)$/.exec(normal) ?? [];
  // The power of ten of the number's first digit, whatever the number's length.
  const power = String(Number(exponent) + digits.length + exponentBias).padStart(exponentDigits, "0");
  return sign ? `n${complement(power + digits)}~` : `p${power}${digits}`;
}

/**
 * A date or time, as PostgreSQL writes it in UTC, as a text that sorts by code point as they do: from `-infinity` over the
 * years before the first and those of four digits to later ones, and `infinity`.
 */
export function orderableTime(text: string): string {
  const [, year = "", rest = "", isBefore] = /^(\d{4,})(-[^B]*?)( BC)?$/.exec(text) ?? [];
  if (isBefore) return `.${complement(year.padStart(6, "0"))}${rest}`;
  return year.length > 4 ? `:${year.padStart(6, "0")}${rest}` : text;
}

const isoTime =
  /^(\d{4}-\d\d-\d\d)(?:[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d(?::?[0-5]\d)?)?)?$/i;

/** Minutes that a zone is ahead of UTC. */
function zoneMinutes(zone: string | undefined): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone ?? "") ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes || "0"));
}

/**
 * A date or time as PostgreSQL writes it in UTC, from one that is written as ISO 8601 has it; `undefined` where it is not,
 * or where it is for PostgreSQL to say what it means.
 */
export function readTime(text: string, kind: "date" | "timestamp" | "timestamptz"): string | undefined {
  const [, date, hours, minutes, seconds = "00", fraction = "", zone] = isoTime.exec(text) ?? [];
  if (date === undefined || date.startsWith("0000")) return undefined;
  if (hours === undefined && kind !== "date") return readTime(`${date} 00:00`, kind);
  // What has no zone is asked for with one, or the other way round.
  if ((hours !== undefined && kind === "date") || (zone !== undefined && kind !== "timestamptz")) return undefined;
  const instant = new Date(`${date}T${hours ?? "00"}:${minutes ?? "00"}:${seconds}Z`);
  if (Number.isNaN(instant.getTime()) || !instant.toISOString().startsWith(date)) return undefined;
  if (kind === "date") return date;
  instant.setTime(instant.getTime() - zoneMinutes(zone) * 60_000);
  const shown = instant.toISOString();
  if (!/^(?!0000)\d{4}-/.test(shown)) return undefined;
  let parts = fraction;
  while (parts.endsWith("0")) parts = parts.slice(0, -1);
  return `${shown.slice(0, 10)} ${shown.slice(11, 19)}${parts && `.${parts}`}${kind === "timestamptz" ? "+00" : ""}`;
}
