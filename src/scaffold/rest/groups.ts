import type { JsonPath } from "../../filter/index.ts";
import type { Member } from "../engine/table.ts";
import type { Grouping } from "../engine/tree.ts";
import type { AggregateName, ValueType } from "../engine/value-type.ts";
import { listNames, Refusal, shorten } from "./refusal.ts";
import type { Resource } from "./resource.ts";

/** A field whose type, or records, are not known yet. */
export type Unread =
  | { readonly kind: "value"; readonly name: string; readonly at: number; readonly path?: JsonPath | undefined }
  | { readonly kind: "records"; readonly name: string; readonly at: number; readonly isSpread: boolean }
  | { readonly kind: "cell"; readonly name: string; readonly at: number; readonly aggregate: AggregateName };

/** A member by its place. */
export function memberAt({ table }: Resource, at: number): Member {
  const found = table.members[at];
  if (!found) throw new Error("There is no such member.");
  return found;
}

/**
 * The type of a value of a group.
 *
 * @throws Refusal 400 where a column's values come to nothing of that sort
 */
export function cellType(resource: Resource, field: Unread): ValueType {
  const { members } = resource.table;
  const type = members[field.at]?.type;
  if (field.kind !== "cell") return memberAt(resource, field.at).type;
  const { aggregate } = field;
  const found = (type ?? memberAt(resource, 0).type).aggregate(aggregate);
  if (found) return found;
  const column = `"${shorten(memberAt(resource, field.at).name)}"`;
  throw new Refusal(400, `The column ${column} has no ${aggregate}(): its values are not of a type for that.`);
}

/**
 * The order of groups down to what tells them apart.
 *
 * @throws Refusal 400 naming what they can't be sorted by
 */
export function groupOrder(fields: readonly Unread[], text: string | undefined): Grouping["order"] {
  const asked = (text === undefined ? [] : text.split(",")).map((part) => {
    const [, sorted = part, nulls] = /^(.*)\.nulls(first|last)$/s.exec(part) ?? [];
    const [, name = sorted, direction = "asc"] = /^(.*)\.(asc|desc)$/s.exec(sorted) ?? [];
    const cell = fields.findIndex((field) => field.name === name);
    if (cell < 0) {
      const names = listNames(fields.map((field) => field.name));
      throw new Refusal(
        400,
        `Groups are sorted by what "select" has, and "${shorten(name)}" is none of it; there are ${names}.`,
      );
    }
    return { cell, descending: direction === "desc", nulls: nulls as "first" | "last" | undefined };
  });
  const rest = fields.flatMap((field, cell) => (field.kind === "value" ? [{ cell, descending: false }] : []));
  return [...asked, ...rest.filter(({ cell }) => !asked.some((part) => part.cell === cell))];
}

/** The order of groups as a URL has it. */
export function formatGroupOrder(fields: readonly Unread[], order: Grouping["order"]): string {
  return order
    .map(
      ({ cell, descending, nulls }) =>
        `${fields[cell]?.name}.${descending ? "desc" : "asc"}${nulls ? `.nulls${nulls}` : ""}`,
    )
    .join(",");
}
