import { FilterError, formatPlace, groupOf, isGroup, parsePlace } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { Ordering, Query, RecordFilter } from "../engine/query.ts";
import type { Row } from "../engine/snapshot.ts";
import type { ServedTable } from "../engine/table.ts";
import { unreadable } from "./record-filter.ts";
import { Refusal } from "./refusal.ts";

/** A record's place in an order: its values in what that sorts by. */
export type Place = readonly Value[];

/** The value that a text stands for in an order; `undefined` where none does. */
function readPart({ member }: Ordering, text: string): Value | undefined {
  const decoded = member.type.readLiteral("gt", text);
  return "detail" in decoded ? undefined : decoded.value;
}

/** Reads a place, `(1977,5)`. @throws Refusal 400 where it is none of this order */
export function readPlace(order: readonly Ordering[], text: string): Place {
  let texts: readonly (string | null)[];
  try {
    texts = parsePlace(text, "after");
  } catch (error) {
    if (error instanceof FilterError) throw new Refusal(400, error.message);
    throw error;
  }
  if (texts.length !== order.length) {
    const names = order.map(({ member }) => member.name).join(", ");
    throw new Refusal(400, `after takes a value for each of what the list is sorted by: ${names}.`);
  }
  return order.map((part, at) => {
    const one = texts[at] ?? null;
    if (one === null) return null;
    const value = readPart(part, one);
    if (value === undefined) throw unreadable(part.member, one, "it is no place in its order.");
    return value;
  });
}

/** A place as {@link readPlace} reads it. */
export function writePlace(order: readonly Ordering[], place: Place): string {
  return formatPlace(
    order.map(({ member }, at) => ((place[at] ?? null) === null ? null : member.type.toText(place[at] ?? null))),
  );
}

function isReadBack(part: Ordering, value: Value): boolean {
  if (value === null) return true;
  const { type } = part.member;
  const read = readPart(part, type.toText(value)) ?? null;
  return read !== null && typeof read === typeof value && type.isSame(value, read);
}

/** A row's place; `undefined` where a text in a URL does not say it exactly. */
export function placeOf(order: readonly Ordering[], { members }: ServedTable, row: Row): Place | undefined {
  const place: Value[] = [];
  for (const part of order) {
    const at = members.indexOf(part.member);
    const value = row[at] ?? null;
    // A path into a column is none of the row's values, and some look like others in a URL.
    if (at < 0 || !isReadBack(part, value)) return undefined;
    place.push(value);
  }
  return place;
}

/** Whether null stands first. */
function isNullFirst({ member, descending, nulls }: Ordering): boolean {
  return nulls === undefined ? (member.nulls === "lowest") !== descending : nulls === "first";
}

const none: RecordFilter = groupOf("or", []);

/** What stands behind a value in one part of an order. */
function behindPart(part: Ordering, value: Value): RecordFilter {
  const { member: column, descending } = part;
  const isNull = (isNot: boolean): RecordFilter => ({ kind: "is", column, isNot, state: "null" });
  if (value === null) return isNullFirst(part) ? isNull(true) : none;
  const beyond: RecordFilter = { kind: "compare", column, relation: descending ? "lt" : "gt", literal: value };
  return column.nulls === "none" || isNullFirst(part) ? beyond : groupOf("or", [beyond, isNull(false)]);
}

function alike({ member: column }: Ordering, value: Value): RecordFilter {
  if (value === null) return { kind: "is", column, isNot: false, state: "null" };
  return { kind: "compare", column, relation: "eq", literal: value };
}

function notBefore({ member: column, descending }: Ordering, literal: Value): RecordFilter {
  return { kind: "compare", column, relation: descending ? "lte" : "gte", literal };
}

/** The records behind a place: those that are in what comes first, or alike in that and behind in what comes next. */
function behind(order: readonly Ordering[], place: Place): RecordFilter {
  const [first, ...rest] = order;
  if (!first) return none;
  const [value = null, ...others] = place;
  const later = behindPart(first, value);
  if (rest.length === 0) return later;
  const choice = groupOf("or", [later, groupOf("and", [alike(first, value), behind(rest, others)])]);
  // Said once more, so that an index is read from there.
  return isGroup(later) || value === null ? choice : groupOf("and", [notBefore(first, value), choice]);
}

/** What a query lets through of the part that it asks for. */
export function filterFrom({
  filter,
  order,
  after = "start",
}: Pick<Query, "filter" | "order"> & { readonly after?: Place | "start" | undefined }): RecordFilter {
  return after === "start" ? filter : groupOf("and", [filter, behind(order, after)]);
}
