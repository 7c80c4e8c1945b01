import { conditionsOf, groupOf, type Parameter } from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { MemberCondition, RecordFilter } from "../engine/query.ts";
import type { Row, Snapshot } from "../engine/snapshot.ts";
import type { Steps } from "../engine/steps.ts";
import { keyOf, type Member, type RecordKey } from "../engine/table.ts";
import { findRecord, noRecord } from "./find-record.ts";
import type { Relation, Relations } from "./relations.ts";
import type { Resource } from "./resource.ts";

/**
 * What foreign keys tie to a record: those that name it, `/artists/1/albums`; the one that it names, `/albums/1/artist`; or those
 * that a third table names with it, `/albums/1/tags`.
 */
export interface Related {
  /** The collection that they are in. */
  readonly resource: Resource;
  /** The collection of the record, and its key. */
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

/** The record itself. @throws Refusal 404 where there is none */
export function* findParent(snapshot: Snapshot, { parent, key }: Related): Steps<Row> {
  const row: Row | undefined = yield* findRecord(parent, key, (...named) => snapshot.find(...named));
  if (!row) throw noRecord();
  return row;
}

/** What is asked of records that are tied to one. @param row - that one */
export function filterBeside({ parent, relation }: Related, row: Row): RecordFilter {
  const { members } = parent.table;
  return groupOf(
    "and",
    relation.to.map((member, at) => {
      const from = relation.from[at] ?? member;
      return condition(member, from, row[members.indexOf(from)] ?? null);
    }),
  );
}

/**
 * What the records have that belong to a record.
 *
 * @throws Refusal 404 where there is no such record
 */
export function* relatedFilter(snapshot: Snapshot, related: Related): Steps<RecordFilter> {
  return filterBeside(related, yield* findParent(snapshot, related));
}

/** The name under which the record itself stands in what is asked of those that a third table ties to it. */
const within = "_within";

/**
 * What a URL of the other collection would ask, for those of its records that a third table ties to a record: they embed it,
 * and show nothing of it.
 *
 * @param row - the record
 */
export function parametersThrough(
  relations: Relations,
  { resource, parent, relation }: Related,
  row: Row,
  parameters: readonly Parameter[],
): Parameter[] {
  const { table } = parent;
  const back = relations.nameOf(resource.table, relations.inverse(table, relation));
  const select = parameters.find(([name]) => name === "select")?.[1] ?? "*";
  const { members, values } = keyOf(table, row);
  const key = members.map(({ name, type }, at): Parameter => {
    return [`${within}.${name}`, `eq.${type.toText(values[at] ?? null)}`];
  });
  const others = parameters.filter(([name]) => name !== "select");
  return [["select", `${select},${within}:${back}!inner()`], ...others, ...key];
}

/** The values that a record has to have to be among them. @param filter - as {@link relatedFilter} gives it */
export function valuesOf(filter: RecordFilter): Map<Member, Value> {
  const all = conditionsOf(filter);
  return new Map(all.map((one) => [one.column, one.kind === "compare" ? one.literal : null]));
}
