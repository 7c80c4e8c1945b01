import type { Value } from "../../server/index.ts";
import type { Member } from "./table.ts";

/** A member and the value that it must have. */
export interface Filter {
  readonly member: Member;
  readonly value: Value;
}

/** A member that records are sorted by. */
export interface Ordering {
  readonly member: Member;
  readonly descending: boolean;
}

/** Which of a table's records are asked for, and in which order. */
export interface Query {
  readonly filters: readonly Filter[];
  /** By what the records are sorted; always down to the key, so that no two are equal. */
  readonly order: readonly Ordering[];
  readonly limit: number | undefined;
  readonly offset: number | undefined;
}
