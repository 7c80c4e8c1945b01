import type { ForeignKey, NamedRelation, ServedTable } from "./table.ts";

function hasColumns(table: ServedTable | undefined, names: readonly string[]): boolean {
  return table !== undefined && names.every((name) => table.members.some((member) => member.name === name));
}

/** The foreign keys between some tables, as far as the tables have their columns: others are nothing to who is served these. */
export function keysBetween(tables: readonly ServedTable[], keys: readonly ForeignKey[]): ForeignKey[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  return keys.filter(({ table, columns, references }) => {
    const isWhole = columns.length > 0 && columns.length === references.columns.length;
    return (
      isWhole && hasColumns(byName.get(table), columns) && hasColumns(byName.get(references.table), references.columns)
    );
  });
}

/** Of the relations that models name, those between some tables, as far as the tables have their columns. */
export function relationsBetween(tables: readonly ServedTable[], relations: readonly NamedRelation[]): NamedRelation[] {
  const byName = new Map(tables.map((table) => [table.name, table]));
  return relations.filter(({ table, columns, references, join }) => {
    const hasEnds =
      hasColumns(byName.get(table), columns) && hasColumns(byName.get(references.table), references.columns);
    return hasEnds && (!join || hasColumns(byName.get(join.table), [...join.from, ...join.to]));
  });
}
