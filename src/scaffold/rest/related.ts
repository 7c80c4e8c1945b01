import { conditionsOf, groupOf } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { MemberCondition, RecordFilter } from "../engine/query.ts";
import type { Row, Snapshot } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import type { Member, RecordKey } from "../engine/table.ts";
import { findRecord, noRecord } from "./find-record.ts";
import type { Relation } from "./relations.ts";
import type { Resource } from "./resource.ts";

/** The records of a collection that name a record by a foreign key: `/artists/1/albums`. */
export interface Related {
  /** The collection that they are in. */
  readonly resource: Resource;
  /** The collection of the record that they name, and its key. */
  readonly parent: Resource;
  readonly key: RecordKey;
  readonly relation: Relation;
}

/** A value of one table's column as that of another's, which names it. NULL names nothing. */
function condition(member: Member, from: Member, value: Value): MemberCondition {
  const decoded = value === null ? { value } : member.type.readLiteral("eq", from.type.toText(value));
  const literal = "detail" in decoded ? null : decoded.value;
  // Nothing is equal to it.
  if (literal === null) return { kind: "in", column: member, isNot: false, literals: [] };
  return { kind: "compare", column: member, relation: "eq", literal };
}

/**
 * What the records have that belong to a record.
 *
 * @throws Refusal 404 where there is no such record
 */
export function* relatedFilter(snapshot: Snapshot, { parent, key, relation }: Related): Steps<RecordFilter> {
  const row: Row | undefined = yield* findRecord(parent, key, (...named) => snapshot.find(...named));
  if (!row) throw noRecord();
  const { members } = parent.table;
  return groupOf(
    "and",
    relation.to.map((member, at) => {
      const from = relation.from[at] ?? member;
      return condition(member, from, row[members.indexOf(from)] ?? null);
    }),
  );
}

/** The values that a record has to have to be among them. @param filter - as {@link relatedFilter} gives it */
export function valuesOf(filter: RecordFilter): Map<Member, Value> {
  const all = conditionsOf(filter);
  return new Map(all.map((one) => [one.column, one.kind === "compare" ? one.literal : null]));
}
