import type { Row, Transaction, Values } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { Member, RecordKey } from "../engine/table.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";

/** The 409 for a record that the database did not make. */
export function ignored(): Refusal {
  return new Refusal(409, "The database ignored the record; there may be one like it.");
}

/**
 * What a row does not have already. What stays is not written: less of it may be shown than there is, or it may be a
 * foreign key that named nothing before.
 */
function differing({ table: { members } }: Resource, row: Row, values: Values): Values {
  return new Map([...values].filter(([member, value]) => !Object.is(value, row[members.indexOf(member)])));
}

/** What becomes of a record that was read. */
export interface RowChange {
  readonly key: RecordKey;
  readonly row: Row;
  /** What it is to have. */
  readonly values: Values;
  /** Members that get their column's default. */
  readonly defaulted?: readonly Member[];
  /** Whether values of members that hold JSON were made of what is stored, as it is shown. */
  readonly isMerge?: boolean;
}

/** Changes a record where it is not so already. @throws Refusal 409 where the database ignored that; BrokenRule */
export function* changeRow(
  transaction: Transaction,
  resource: Resource,
  { key, row, values, defaulted = [], isMerge = false }: RowChange,
): Steps<void> {
  const wanted = { values: differing(resource, row, values), defaulted, isMerge };
  if (wanted.values.size === 0 && defaulted.length === 0) return;
  if (yield* transaction.update(resource.table, key, wanted)) return;
  throw new Refusal(409, "The database ignored the change.");
}
