import { type Condition, type Filter, groupOf, mapFilter, partsOf } from "../../filter/index.ts";
import type { DirectView, Value } from "../../server/index.ts";
import type { MemberCondition, RecordFilter } from "../engine/query.ts";

/** Whether a change alone tells what a condition lets through. */
export function isDirect(condition: MemberCondition): boolean {
  const { path, type } = condition.column;
  return condition.kind !== "test" && path === undefined && type.isDecidedByImages(condition);
}

/** A condition as images decide it. */
export function imageCondition(condition: MemberCondition): Condition<string, Value> {
  const { name: column, type } = condition.column;
  if (condition.kind === "compare") return { ...condition, column, literal: type.toImage(condition.literal) };
  if (condition.kind !== "in") return { ...condition, column };
  return { ...condition, column, literals: condition.literals.map((literal) => type.toImage(literal)) };
}

/** A filter as a view has it: equality by itself, since that is the most usual. */
export function viewFilter(filter: RecordFilter): Pick<DirectView, "equals" | "filter"> {
  const equals: (readonly [string, Value])[] = [];
  const others: Filter<string, Value>[] = [];
  const names = new Set<string>();
  for (const part of partsOf(mapFilter(filter, imageCondition))) {
    if (part.kind === "compare" && part.relation === "eq" && !names.has(part.column)) {
      equals.push([part.column, part.literal]);
      names.add(part.column);
    } else {
      others.push(part);
    }
  }
  return others.length === 0 ? { equals } : { equals, filter: groupOf("and", others) };
}
