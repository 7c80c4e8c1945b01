import type { Dialect } from "./dialect.ts";
import type { ModelColumn, ModelTable, OnDelete } from "./tables.ts";

/** A column that is there. */
export interface FoundColumn {
  readonly name: string;
  /** As the dialect has it. */
  readonly type: string;
  readonly isOptional: boolean;
  /** The foreign key that it is alone; absent where it is none. */
  readonly references?: { readonly table: string; readonly onDelete: string } | undefined;
}

/** A table that is there. */
export interface FoundTable {
  readonly name: string;
  readonly columns: readonly FoundColumn[];
}

const rules: Readonly<Record<OnDelete, string>> = {
  CASCADE: "goes with the record that it names",
  "SET NULL": "becomes NULL when the record that it names is deleted",
  RESTRICT: "keeps the record that it names from being deleted",
};

function ruleOf(onDelete: string): string {
  return rules[(onDelete === "NO ACTION" ? "RESTRICT" : onDelete) as OnDelete] ?? `does ${onDelete}`;
}

function* columnDifferences(
  place: string,
  wanted: ModelColumn,
  found: FoundColumn,
  dialect: Dialect,
): Generator<string> {
  const type = dialect.types[wanted.type];
  if (found.type.toLowerCase() !== type.toLowerCase())
    yield `${place} has the type ${found.type || "none"}, and the model's is ${type}.`;
  if (found.isOptional !== wanted.isOptional)
    yield wanted.isOptional
      ? `${place} is never NULL, and the model's may be.`
      : `${place} may be NULL, and the model's may not.`;
  const [one, other] = [wanted.references, found.references];
  if (one && !other) yield `${place} is no foreign key, and the model's names ${one.table}.`;
  else if (!one && other) yield `${place} is a foreign key that names ${other.table}, and the model's is none.`;
  else if (one && other && one.table !== other.table)
    yield `${place} names ${other.table}, and the model's names ${one.table}.`;
  else if (one && other && ruleOf(one.onDelete) !== ruleOf(other.onDelete))
    yield `${place} ${ruleOf(other.onDelete)}; the model's ${ruleOf(one.onDelete)}.`;
}

/** In what the tables of a database differ from those that a model asks for, a sentence each. */
export function differences(tables: readonly ModelTable[], found: readonly FoundTable[], dialect: Dialect): string[] {
  const byName = new Map(found.map((table) => [table.name, table]));
  return tables.flatMap((table) => {
    const there = byName.get(table.name);
    if (!there) return [`There is no table ${table.name}.`];
    const columns = new Map(there.columns.map((column) => [column.name, column]));
    const wanted = new Set(table.columns.map(({ name }) => name));
    return [
      ...table.columns.flatMap((column) => {
        const one = columns.get(column.name);
        const place = `${table.name}.${column.name}`;
        return one ? [...columnDifferences(place, column, one, dialect)] : [`There is no column ${place}.`];
      }),
      ...there.columns.flatMap(({ name }) =>
        wanted.has(name) ? [] : [`The model has no column ${table.name}.${name}.`],
      ),
    ];
  });
}
