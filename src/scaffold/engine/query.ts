import type { Condition, Filter } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { Member } from "./table.ts";

/** What is asked of one member. */
export type MemberCondition = Condition<Member, Value>;

/** Which records are asked for: members, and values of theirs that their types have read. */
export type RecordFilter = Filter<Member, Value>;

/** A member that records are sorted by. */
export interface Ordering {
  readonly member: Member;
  readonly descending: boolean;
  /** Where NULL is to stand; absent where that is where the database puts it by itself, in the order of its indexes. */
  readonly nulls?: "first" | "last" | undefined;
}

/** Which of a table's records are asked for, and in which order. */
export interface Query {
  readonly filter: RecordFilter;
  /** By what the records are sorted; always down to the key, so that no two are equal. */
  readonly order: readonly Ordering[];
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}
