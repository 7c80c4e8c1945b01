import type { Condition, Filter } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { Link, Member, ServedTable } from "./table.ts";

/** What is asked of one member. */
export type MemberCondition = Condition<Member, Value>;

/** Which records are asked for: members, and values of theirs that their types have read. */
export type RecordFilter = Filter<Member, Value>;

/** Whether there is another record that this one leads to by a foreign key, on either end of it, and that a rule is met by. */
export interface Linked {
  readonly kind: "linked";
  /** This record's members that have the same values… */
  readonly columns: readonly Member[];
  /** …as these of the other one; as many. */
  readonly others: readonly Member[];
  readonly table: ServedTable;
  readonly rule: RowRule;
}

/** All of its parts, or any of them. Without parts, everything or nothing. */
export interface RuleGroup {
  readonly kind: "and" | "or";
  readonly parts: readonly RowRule[];
}

/** What a viewer's right to a record depends on: conditions on it, and on those that foreign keys lead to. */
export type RowRule = MemberCondition | Linked | RuleGroup;

/** Whether a rule has parts. */
export function isRuleGroup<Rule extends RowRule>(rule: Rule): rule is Extract<Rule, RuleGroup> {
  return rule.kind === "and" || rule.kind === "or";
}

/** A member that records are sorted by. */
export interface Ordering {
  readonly member: Member;
  /** The record that has the member, which each record names by a foreign key, and its name in URLs; absent: it is its own. */
  readonly of?:
    | { readonly table: ServedTable; readonly link: Link; readonly rule?: RowRule | undefined; readonly name: string }
    | undefined;
  readonly descending: boolean;
  /** Where NULL is to stand; absent where that is where the database puts it by itself, in the order of its indexes. */
  readonly nulls?: "first" | "last" | undefined;
}

/** Which of a table's records are asked for, and in which order. */
export interface Query {
  readonly filter: RecordFilter;
  /** What records must meet beside that: the viewer has no right to others. Default: nothing. */
  readonly rule?: RowRule | undefined;
  /** By what the records are sorted; always down to the key, so that no two are equal. */
  readonly order: readonly Ordering[];
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}
