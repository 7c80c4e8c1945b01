import { isRuleGroup, type RowRule } from "../engine/query.ts";
import type { Row } from "../engine/snapshot.ts";
import type { Member, RecordKey, ServedTable } from "../engine/table.ts";

function isOther({ members, values }: RecordKey): RowRule {
  const parts = members.map((column, at): RowRule => {
    return { kind: "compare", column, relation: "neq", literal: values[at] ?? null };
  });
  return { kind: "or", parts };
}

/**
 * A rule for a record that was just written, which is no proof of its own right: who makes itself a member of a team must
 * not have become one by that.
 */
export function withoutSelf(rule: RowRule, table: ServedTable, key: RecordKey): RowRule {
  if (isRuleGroup(rule)) return { ...rule, parts: rule.parts.map((part) => withoutSelf(part, table, key)) };
  if (rule.kind !== "linked") return rule;
  const inner = withoutSelf(rule.rule, table, key);
  return { ...rule, rule: rule.table === table ? { kind: "and", parts: [inner, isOther(key)] } : inner };
}

/** Whether a rule looks into the table that it is of. */
export function looksAtSelf(rule: RowRule, table: ServedTable): boolean {
  if (isRuleGroup(rule)) return rule.parts.some((part) => looksAtSelf(part, table));
  return rule.kind === "linked" && (rule.table === table || looksAtSelf(rule.rule, table));
}

/** The columns that a rule asks for, whatever table they are of. */
function columnsIn(rule: RowRule): readonly string[] {
  if (isRuleGroup(rule)) return rule.parts.flatMap(columnsIn);
  if (rule.kind !== "linked") return [columnName(rule.column)];
  return [...[...rule.columns, ...rule.others].map(columnName), ...columnsIn(rule.rule)];
}

function columnName({ name, path }: Member): string {
  return path?.column ?? name;
}

/** Whether a record is another one to a rule than it was. */
export function hasChangedFor(rule: RowRule, { members }: ServedTable, before: Row, after: Row): boolean {
  const asked = new Set(columnsIn(rule));
  return members.some((member, at) => asked.has(member.name) && !Object.is(before[at], after[at]));
}
