import { conditionsOf, type Filter, groupOf, isGroup, mapFilter } from "../../filter/index.ts";
import { isRuleGroup, type RecordFilter, type RowRule } from "../engine/query.ts";
import type { ServedTable } from "../engine/table.ts";
import { isDirect } from "../rest/image-filter.ts";
import { readCondition } from "../rest/record-filter.ts";
import { Refusal } from "../rest/refusal.ts";
import type { Relation } from "../rest/relations.ts";
import { resourceOf } from "../rest/resource.ts";
import { RuleTrouble } from "./rule-text.ts";

/** Where a name leads from a table. @throws RuleTrouble where it leads nowhere, or to several */
export type LinkOf = (table: ServedTable, name: string) => Relation;

/** What becomes of a condition that can't be: it is told, or lets nobody through. */
export type OnUnreadable = "throw" | "close";

/** Binds a rule's names to the tables that it is about. */
class RuleBinder {
  readonly #linkOf: LinkOf;
  readonly #onUnreadable: OnUnreadable;

  constructor(linkOf: LinkOf, onUnreadable: OnUnreadable) {
    this.#linkOf = linkOf;
    this.#onUnreadable = onUnreadable;
  }

  bind(filter: Filter, table: ServedTable): RowRule {
    if (!isGroup(filter)) {
      const link = linkName(filter, table);
      return link === undefined ? this.#condition(filter, table) : this.#linked(link, filter, table);
    }
    // What is asked of what one name leads to is asked of one and the same record.
    const byLink = new Map<string, Filter[]>();
    const parts: RowRule[] = [];
    for (const part of filter.parts) {
      const link = linkName(part, table);
      if (link === undefined) parts.push(this.bind(part, table));
      else byLink.set(link, [...(byLink.get(link) ?? []), part]);
    }
    for (const [link, asked] of byLink) parts.push(this.#linked(link, groupOf(filter.kind, asked), table));
    const [only] = parts;
    return only && parts.length === 1 ? only : { kind: filter.kind, parts };
  }

  #linked(name: string, filter: Filter, from: ServedTable): RowRule {
    const relation = this.#linkOf(from, name);
    const rest = mapFilter(filter, (condition): Filter => {
      return { ...condition, column: condition.column.slice(name.length + 1) };
    });
    return linkedBy(relation, this.bind(rest, relation.table));
  }

  #condition(condition: Exclude<Filter, { kind: "and" | "or" }>, table: ServedTable): RowRule {
    try {
      return readCondition(resourceOf(table, ""), condition);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (this.#onUnreadable === "throw") throw new RuleTrouble(error.message.replace(/\.$/, ""));
      return { kind: "or", parts: [] };
    }
  }
}

/** A condition on what a relation leads to: by way of a third table, where there is one. */
function linkedBy({ from, to, table, join }: Relation, rule: RowRule): RowRule {
  if (!join) return { kind: "linked", columns: from, others: to, table, rule };
  const { first, last } = join;
  const far: RowRule = { kind: "linked", columns: last.from, others: last.to, table, rule };
  return { kind: "linked", columns: first.from, others: first.to, table: join.table, rule: far };
}

/** The name that all of a filter's conditions begin their paths with; `undefined` where one is about the table itself. */
function linkName(filter: Filter, { members }: ServedTable): string | undefined {
  let name: string | undefined;
  for (const { column } of conditionsOf(filter)) {
    // What leads into JSON may have dots of its own.
    const [path = ""] = column.split("->");
    const [first = ""] = path.split(".");
    if (first === path || members.some((member) => member.name === column)) return undefined;
    if (name !== undefined && name !== first) return undefined;
    name = first;
  }
  return name;
}

/**
 * A rule without claims, as an engine has it.
 *
 * @throws RuleTrouble where it names what is not there, or, if that is asked for, has what can't be compared
 */
export function bindRule(filter: Filter, table: ServedTable, linkOf: LinkOf, onUnreadable: OnUnreadable): RowRule {
  return new RuleBinder(linkOf, onUnreadable).bind(filter, table);
}

/** Whether a rule lets every record through. */
export function isEverything(rule: RowRule): boolean {
  return rule.kind === "and" && isRuleGroup(rule) && rule.parts.length === 0;
}

/** Whether a rule lets no record through, whatever it is. */
export function isNothing(rule: RowRule): boolean {
  return rule.kind === "or" && isRuleGroup(rule) && rule.parts.length === 0;
}

/** The tables that a rule looks into, beside that of its records. */
export function linkedTables(rule: RowRule): ServedTable[] {
  if (rule.kind === "linked") return [rule.table, ...linkedTables(rule.rule)];
  return isRuleGroup(rule) ? rule.parts.flatMap(linkedTables) : [];
}

/** The rule as a filter that images decide; `undefined` where only the database can tell. */
export function imageFilter(rule: RowRule): RecordFilter | undefined {
  if (rule.kind === "linked") return undefined;
  if (!isRuleGroup(rule)) return isDirect(rule) ? rule : undefined;
  const parts: RecordFilter[] = [];
  for (const part of rule.parts) {
    const filter = imageFilter(part);
    if (!filter) return undefined;
    parts.push(filter);
  }
  return groupOf(rule.kind, parts);
}
