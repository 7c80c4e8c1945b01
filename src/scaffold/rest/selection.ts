import type { JsonPath, Parameter } from "../../filter/index.ts";
import { formatItems, formatPointer } from "../../protocol/index.ts";
import { hasKey, type Member, type ServedTable } from "../engine/table.ts";
import type { TreeQuery } from "../engine/tree.ts";
import type { ValueType } from "../engine/value-type.ts";
import { Refusal, shorten } from "./refusal.ts";
import { addressMembers, type Resource } from "./resource.ts";

/** What stands in a record under a name. */
export type Field =
  | {
      readonly kind: "value";
      readonly name: string;
      readonly at: number;
      readonly type: ValueType;
      /** Where in the column's JSON; absent: all of it. */
      readonly path?: JsonPath | undefined;
    }
  | {
      /** What is shown of one embedded record stands in the outer one. */
      readonly kind: "spread";
      readonly at: number;
      readonly selection: Selection;
    }
  | {
      readonly kind: "records";
      readonly name: string;
      /** Which of the query's embeds it is. */
      readonly at: number;
      /** Whether there is one at most, so that no list is around it. */
      readonly isOne: boolean;
      readonly selection: Selection;
    };

/** What of each record is shown, and under which names. */
export interface Selection {
  readonly resource: Resource;
  readonly fields: readonly Field[];
  /** The member that has a record's own URL; `undefined` where another gives it, and where there is none. */
  readonly urlMember: string | undefined;
  /** The `Items` field of a collection, and of a record. */
  readonly items: string;
  readonly recordItems: string;
}

/** The names under which fields are shown, in their order. */
export function shownNames(fields: readonly Field[]): string[] {
  return fields.flatMap((field) => (field.kind === "spread" ? shownNames(field.selection.fields) : field.name));
}

function isColumn({ members }: ServedTable, name: string): boolean {
  return members.some((member) => member.name.toLowerCase() === name);
}

/** Whether all columns stand there under their own names. */
function isWhole({ table }: Resource, fields: readonly Field[]): boolean {
  return table.members.every(({ name }, at) => {
    return fields.some((field) => field.kind === "value" && field.name === name && field.at === at && !field.path);
  });
}

/** @param isGrouped - whether its records are groups, which have no URLs */
function urlMemberOf(resource: Resource, fields: readonly Field[], isGrouped: boolean): string | undefined {
  if (isGrouped || !hasKey(resource.table)) return undefined;
  const names = new Set(shownNames(fields));
  if (isWhole(resource, fields) && !names.has(resource.urlMember ?? "")) return resource.urlMember;
  let name = "url";
  while (isColumn(resource.table, name) || names.has(name)) name = `_${name}`;
  return name;
}

/**
 * Makes a selection of fields.
 *
 * @throws Refusal 400 where two have one name, or one that no program can be given
 */
export function selectionOf(resource: Resource, fields: readonly Field[], isGrouped: boolean): Selection {
  const names = new Set<string>();
  for (const name of shownNames(fields)) {
    if (name === "__proto__") throw new Refusal(400, 'In "select", nothing can be named "__proto__".');
    if (names.has(name)) {
      throw new Refusal(
        400,
        `"select" has "${shorten(name)}" more than once: give one of them another name, as "other:name".`,
      );
    }
    names.add(name);
  }
  const urlMember = urlMemberOf(resource, fields, isGrouped);
  const { items, recordItems } = resource;
  const isUsual = !isGrouped && urlMember === resource.urlMember && isWhole(resource, fields);
  if (isUsual) return { resource, fields, urlMember, items, recordItems };
  const places = { list: formatPointer(resource.plural), record: formatPointer(resource.singular) };
  // Where rows have no URLs, no member is the link.
  const link = formatPointer(urlMember ?? unusedName(names));
  return { resource, fields, urlMember, items: formatItems({ ...places, link }), recordItems };
}

function unusedName(names: ReadonlySet<string>): string {
  let name = "url";
  while (names.has(name)) name = `_${name}`;
  return name;
}

/** The members that have to be read so that fields can be shown. */
export function shownMembers({ resource: { table }, fields }: Selection): Set<Member> {
  const values = fields.flatMap((field) => (field.kind === "value" ? (table.members[field.at] ?? []) : []));
  const key = table.key.flatMap((at) => table.members[at] ?? []);
  return new Set([...values, ...key, ...addressMembers(table)]);
}

/** A selection, with what a query needs for it. */
export interface Selected extends Pick<TreeQuery, "shown" | "grouping" | "embeds"> {
  readonly selection: Selection;
  /** What a URL says of it: `select`, and what is asked of embedded records. */
  readonly parameters: readonly Parameter[];
}
