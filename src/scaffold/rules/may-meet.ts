import { match } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import { isRuleGroup, type Linked, type MemberCondition, type RowRule } from "../engine/query.ts";
import type { Snapshot, Values } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { Member } from "../engine/table.ts";
import { imageCondition, isDirect } from "../rest/image-filter.ts";

/** Whether a record may meet a condition, as far as values of its columns tell. */
function mayMeetCondition(condition: MemberCondition, values: Values): boolean {
  const { column } = condition;
  const value = values.get(column);
  if (value === undefined || !isDirect(condition)) return true;
  return match(imageCondition(condition), () => column.type.toImage(value)) === true;
}

/** Whether a record may meet a rule, as far as values of its columns tell; false only where it can't. */
export function mayMeet(rule: RowRule, values: Values): boolean {
  if (rule.kind === "linked") return true;
  if (!isRuleGroup(rule)) return mayMeetCondition(rule, values);
  const parts = rule.parts.map((part) => mayMeet(part, values));
  return rule.kind === "and" ? !parts.includes(false) : parts.includes(true);
}

/** The columns that a rule's paths start at. */
export function startsOfPaths(rule: RowRule): readonly Member[] {
  if (rule.kind === "linked") return rule.columns;
  return isRuleGroup(rule) ? rule.parts.flatMap(startsOfPaths) : [];
}

/** The condition that a column has the value of another one; `undefined` where it can't have it. */
function sameAs(column: Member, from: Member | undefined, value: Value): RowRule | undefined {
  const decoded = from && value !== null ? column.type.fromText(from.type.toText(value)) : undefined;
  if (!decoded || "detail" in decoded || decoded.value === null) return undefined;
  return { kind: "compare", column, relation: "eq", literal: decoded.value };
}

function* isThere(snapshot: Snapshot, { table, columns, others, rule }: Linked, values: Values): Steps<boolean> {
  const parts = [rule];
  for (const [at, other] of others.entries()) {
    const from = columns[at];
    const same = sameAs(other, from, (from && values.get(from)) ?? null);
    if (!same) return false;
    parts.push(same);
  }
  let isFound = false;
  const query = { filter: { kind: "and", parts: [] }, order: [], limit: 1, offset: undefined } as const;
  yield* snapshot.each(table, { ...query, rule: { kind: "and", parts } }, 1, () => {
    isFound = true;
    return false;
  });
  return isFound;
}

/** A rule whose paths, as far as values tell where they start, are looked up: they lead to what is asked for, or don't. */
export function* settlePaths(snapshot: Snapshot, rule: RowRule, values: Values): Steps<RowRule> {
  if (rule.kind === "linked") {
    if (!rule.columns.every((column) => values.has(column))) return rule;
    return { kind: (yield* isThere(snapshot, rule, values)) ? "and" : "or", parts: [] };
  }
  if (!isRuleGroup(rule)) return rule;
  const parts: RowRule[] = [];
  for (const part of rule.parts) parts.push(yield* settlePaths(snapshot, part, values));
  return { ...rule, parts };
}
