import type { Value } from "../../server/index.ts";
import type { Query, RowRule } from "./query.ts";
import type { Link, Member, ServedTable } from "./table.ts";
import type { AggregateName } from "./value-type.ts";

/** A value of a group of records: that of a member that is the same in all of them, or what they come to. */
export interface Cell {
  /** `undefined` where records are counted. */
  readonly member: Member | undefined;
  readonly aggregate: AggregateName | undefined;
}

/** Groups in place of records: one for all, where no cell is a member's own value. */
export interface Grouping {
  readonly cells: readonly Cell[];
  /** By which cells, by their numbers, groups are sorted. */
  readonly order: readonly {
    readonly cell: number;
    readonly descending: boolean;
    readonly nulls?: "first" | "last" | undefined;
  }[];
}

/** A query whose records have others with them. */
export interface TreeQuery extends Query {
  /** The members that are read; others are NULL. Absent: all. */
  readonly shown?: ReadonlySet<Member> | undefined;
  /** Its records are in groups; absent where they are not. Then nothing is embedded, and {@link Query.order} is empty. */
  readonly grouping?: Grouping | undefined;
  readonly embeds: readonly Embed[];
}

/** Records of a table that stand in those of another, or of the same one. */
export interface Embed {
  readonly table: ServedTable;
  /** From the outer table to this one. */
  readonly link: Link;
  /** The third table that leads there: from the outer table, and on to this one; then `link` has its two ends. */
  readonly join?:
    | { readonly table: ServedTable; readonly first: Link; readonly last: Link; readonly rule?: RowRule | undefined }
    | undefined;
  readonly query: TreeQuery;
  /** Which outer records are there: all, those that have some of these, or those that have none. */
  readonly keeps: "all" | "with" | "without";
}

/** A record, or a group of them, with those that are embedded in it. */
export interface Tree {
  /** The values of all members, or of all cells. */
  readonly row: readonly Value[];
  /** For each embed its records, in their order. */
  readonly embedded: readonly (readonly Tree[])[];
}

/** All tables that a query reads beside its own. */
export function embeddedTables({ embeds }: Pick<TreeQuery, "embeds">): ServedTable[] {
  return embeds.flatMap((embed) => [
    embed.table,
    ...(embed.join ? [embed.join.table] : []),
    ...embeddedTables(embed.query),
  ]);
}
