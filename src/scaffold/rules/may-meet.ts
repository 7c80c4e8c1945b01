import { match } from "../../filter/index.ts";
import { isRuleGroup, type MemberCondition, type RowRule } from "../engine/query.ts";
import type { Values } from "../engine/snapshot.ts";
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
