import { type Field, fieldValue, parsePreferences, prefersStrict } from "../../protocol/index.ts";
import type { OriginResponse } from "../../server/index.ts";
import { listNames, Refusal } from "./refusal.ts";

/** How records are counted: one by one, by what the database guesses, or up to a bound one by one. As PostgREST has it. */
export type Count = "exact" | "planned" | "estimated";

const counts: readonly string[] = ["exact", "planned", "estimated"] satisfies Count[];

/** How a request wants to be told how many records there are in all: `Prefer: count=exact`; `undefined` where it does not. */
export function preferredCount(fields: readonly Field[]): Count | undefined {
  const wanted = parsePreferences(fields).get("count") ?? "";
  return counts.includes(wanted) ? (wanted as Count) : undefined;
}

/** What a write can be answered with. */
export type Return = "minimal" | "headers-only" | "representation";

const returns: readonly string[] = ["minimal", "headers-only", "representation"] satisfies Return[];

/** What a write is to be answered with (RFC 7240 §4.2); `undefined` where the request does not say. */
export function preferredReturn(fields: readonly Field[]): Return | undefined {
  const wanted = parsePreferences(fields).get("return") ?? "";
  return returns.includes(wanted) ? (wanted as Return) : undefined;
}

/** Whether the answer to a write shows what was written: a DELETE's where that is asked for, others unless it is not. */
export function showsWritten(method: string, fields: readonly Field[]): boolean {
  const wanted = preferredReturn(fields);
  return method === "DELETE" ? wanted === "representation" : wanted !== "minimal" && wanted !== "headers-only";
}

/** What a POST does with a record that is there already. */
export type Resolution = "merge-duplicates" | "ignore-duplicates";

/** What a POST is to do with records that are there already; `undefined` where they are in the way. */
export function preferredResolution(fields: readonly Field[]): Resolution | undefined {
  const wanted = parsePreferences(fields).get("resolution");
  return wanted === "merge-duplicates" || wanted === "ignore-duplicates" ? wanted : undefined;
}

/** How many records a write may change at most: `Prefer: handling=strict, max-affected=10`; `undefined` where it does not say. */
export function preferredMost(fields: readonly Field[]): number | undefined {
  const most = parsePreferences(fields).get("max-affected") ?? "";
  return prefersStrict(fields) && isCount(most) ? Number(most) : undefined;
}

function isCount(text: string): boolean {
  return /^[0-9]{1,15}$/.test(text);
}

/** What writes know of preferences: whether a value is one. */
const known: Readonly<Record<string, (value: string) => boolean>> = {
  return: (value) => returns.includes(value),
  resolution: (value) => value === "merge-duplicates" || value === "ignore-duplicates",
  count: (value) => counts.includes(value),
  // What is missing in a body has its default anyway.
  missing: (value) => value === "default",
  "max-affected": isCount,
  handling: () => true,
};

/** Checks what a write prefers, where it says that all of it must be met: `handling=strict`. @throws Refusal 400 */
export function requirePreferences(fields: readonly Field[]): void {
  if (!prefersStrict(fields)) return;
  const others = [...parsePreferences(fields)].filter(([name, value]) => !known[name]?.(value));
  if (others.length === 0) return;
  const names = listNames(others.map(([name, value]) => (value === "" ? name : `${name}=${value}`)));
  throw new Refusal(400, `With handling=strict, a write does not know the preference ${names}.`);
}

/** The answer to a write without its body; 201 stays, for it says where the new record is. */
export function withoutBody({ status, fields }: OriginResponse): OriginResponse {
  const ofTheBody = /^(?:content-type|items|preference-applied)$/i;
  return { status: status === 201 ? 201 : 204, fields: fields.filter(([name]) => !ofTheBody.test(name)), body: "" };
}

/** The answer to a write as the request prefers it. */
export function asPreferred(response: OriginResponse, requestFields: readonly Field[]): OriginResponse {
  const wanted = preferredReturn(requestFields);
  const isBare = wanted === "minimal" || wanted === "headers-only";
  const { status, fields, body } = isBare ? withoutBody(response) : response;
  // Where the record can't be shown, the wish is not met.
  const isApplied = isBare || (wanted === "representation" && body.length > 0);
  if (!isApplied) return response;
  const before = fieldValue(response.fields, "preference-applied");
  const applied = `${before === undefined ? "" : `${before}, `}return=${wanted}`;
  const others = fields.filter(([name]) => name.toLowerCase() !== "preference-applied");
  return { status, fields: [...others, ["Preference-Applied", applied]], body };
}
