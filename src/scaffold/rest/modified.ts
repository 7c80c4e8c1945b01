import type { Field } from "../../protocol/index.ts";
import { systemClock, type Value } from "../../server/index.ts";
import type { ServedTable } from "../engine/table.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";

/** What columns are called that say when a record was changed last, in lower case and without `_`. */
const names: ReadonlySet<string> = new Set([
  ...["updated", "updatedat", "updatedon", "lastupdate", "lastupdated", "lastupdatedat"],
  ...["modified", "modifiedat", "modifiedon", "lastmodified", "lastmodifiedat", "changedat"],
]);

const places = new WeakMap<ServedTable, readonly number[]>();

/** Where in a table's members those columns are. */
function placesIn(table: ServedTable): readonly number[] {
  let known = places.get(table);
  if (!known) {
    known = table.members.flatMap(({ name, type }, at) => {
      return type.toMoment && names.has(name.toLowerCase().replaceAll("_", "")) ? [at] : [];
    });
    places.set(table, known);
  }
  return known;
}

/**
 * When a record was changed last, in whole seconds since 1970, as its columns say; `undefined` where none does, or one says
 * what is still to come (RFC 9110 §8.8.2.1).
 */
export function modifiedAt({ table }: Resource, row: readonly Value[]): number | undefined {
  const moments = placesIn(table).flatMap((at) => table.members[at]?.type.toMoment?.(row[at] ?? null) ?? []);
  const last = Math.max(...moments);
  return moments.length > 0 && last <= systemClock.wallTime() ? Math.floor(last / 1_000) : undefined;
}

/** The `Last-Modified` of a record; none where nothing says when it was changed. */
export function modifiedFields(resource: Resource, row: readonly Value[]): Field[] {
  const seconds = modifiedAt(resource, row);
  return seconds === undefined ? [] : [["Last-Modified", new Date(seconds * 1_000).toUTCString()]];
}

const httpDates: readonly RegExp[] = [
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/,
  // The two obsolete forms, which are to be understood as well (RFC 9110 §5.6.7).
  /^[A-Z][a-z]{5,8}, \d\d-[A-Z][a-z]{2}-\d\d \d\d:\d\d:\d\d GMT$/,
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
];

/** The moment in a field, in seconds since 1970; `undefined` where it is absent, given twice, or no date. */
function dateIn(fields: readonly Field[], wanted: string): number | undefined {
  const [field, ...more] = fields.filter(([name]) => name.toLowerCase() === wanted);
  if (!field || more.length > 0 || !httpDates.some((form) => form.test(field[1]))) return undefined;
  const ms = Date.parse(field[1].endsWith("GMT") ? field[1] : `${field[1]} GMT`);
  return Number.isNaN(ms) ? undefined : ms / 1_000;
}

function has(fields: readonly Field[], wanted: string): boolean {
  return fields.some(([name]) => name.toLowerCase() === wanted);
}

/**
 * Checks `If-Unmodified-Since`, where there is no `If-Match` (RFC 9110 §13.1.4).
 *
 * @param seconds - as {@link modifiedAt} gives it
 * @throws Refusal 412
 */
export function requireUnmodified(fields: readonly Field[], seconds: number | undefined): void {
  const since = has(fields, "if-match") ? undefined : dateIn(fields, "if-unmodified-since");
  if (since === undefined || seconds === undefined || seconds <= since) return;
  throw new Refusal(412, "If-Unmodified-Since does not hold: the record was changed since.");
}

/** Whether a write depends on when its record was changed last. */
export function dependsOnTime(fields: readonly Field[]): boolean {
  return has(fields, "if-unmodified-since");
}

/** Whether a GET's `If-Modified-Since` says that its answer is known, where there is no `If-None-Match` (RFC 9110 §13.1.3). */
export function isUnmodified(fields: readonly Field[], seconds: number | undefined): boolean {
  const since = has(fields, "if-none-match") ? undefined : dateIn(fields, "if-modified-since");
  return since !== undefined && seconds !== undefined && seconds <= since;
}
