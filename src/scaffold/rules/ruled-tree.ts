import type { Ordering, RowRule } from "../engine/query.ts";
import type { ServedTable } from "../engine/table.ts";
import type { Embed, Tree, TreeQuery } from "../engine/tree.ts";
import type { ViewerRights } from "./viewer-rights.ts";

/** Two rules of which both must be met. */
export function bothOf(one: RowRule | undefined, other: RowRule | undefined): RowRule | undefined {
  return one && other ? { kind: "and", parts: [one, other] } : (one ?? other);
}

function ruledOrder(part: Ordering, rights: ViewerRights): Ordering {
  if (!part.of) return part;
  const own = rights.of(part.of.table);
  return { ...part, of: { ...part.of, table: own.real, rule: bothOf(part.of.rule, own.rule("read")) } };
}

function ruledJoin(join: NonNullable<Embed["join"]>, rights: ViewerRights): Embed["join"] {
  const own = rights.of(join.table);
  return { ...join, table: own.real, rule: bothOf(join.rule, own.rule("read")) };
}

/**
 * A query of what may be read, also of what is embedded, and of the tables that lead there.
 *
 * @param table - as the viewer is shown it
 */
export function ruledTree(table: ServedTable, query: TreeQuery, rights: ViewerRights): TreeQuery {
  return {
    ...query,
    rule: bothOf(query.rule, rights.of(table).rule("read")),
    order: query.order.map((part) => ruledOrder(part, rights)),
    embeds: query.embeds.map((embed) => {
      const { table: shown, join } = embed;
      const ruled = { table: rights.of(shown).real, query: ruledTree(shown, embed.query, rights) };
      return { ...embed, ...ruled, ...(join ? { join: ruledJoin(join, rights) } : {}) };
    }),
  };
}

/** A record as the viewer is shown it, with what is embedded. Groups have nothing but what was asked for. */
export function shownTree(table: ServedTable, query: TreeQuery, rights: ViewerRights, { row, embedded }: Tree): Tree {
  return {
    row: query.grouping ? row : rights.of(table).shownRow(row),
    embedded: query.embeds.map((embed, at) => {
      return (embedded[at] ?? []).map((tree) => shownTree(embed.table, embed.query, rights, tree));
    }),
  };
}
