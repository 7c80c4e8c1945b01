import type { ForeignKey } from "./table.ts";

/** A view each of whose rows is from one row of a table, and shows some of its columns as they are. */
export interface ViewBase {
  readonly view: string;
  readonly table: string;
  /** The view's names of the table's columns, by the table's. */
  readonly columns: ReadonlyMap<string, string>;
}

interface Place {
  readonly table: string;
  readonly columns: readonly string[];
}

/** Columns as a view has them; `undefined` where it has not all of them. */
function shownIn({ columns }: Pick<ViewBase, "columns">, names: readonly string[]): string[] | undefined {
  const shown = names.flatMap((name) => columns.get(name) ?? []);
  return shown.length === names.length ? shown : undefined;
}

function placesOf({ table, columns }: Place, bases: readonly ViewBase[]): Place[] {
  const views = bases.flatMap((base) => {
    const shown = base.table === table ? shownIn(base, columns) : undefined;
    return shown ? [{ table: base.view, columns: shown }] : [];
  });
  return [{ table, columns }, ...views];
}

/**
 * What foreign keys are between views, and between views and tables. They have no names. Of a table that names itself, none leads
 * to a view: the view's name means those that name a record.
 *
 * @param keys - between tables, also those that are not served
 */
export function keysOfViews(keys: readonly ForeignKey[], bases: readonly ViewBase[]): ForeignKey[] {
  return keys.flatMap(({ table, columns, references }) => {
    const own = placesOf({ table, columns }, bases);
    const others = table === references.table ? [references] : placesOf(references, bases);
    const pairs = own.flatMap((from, at) => others.slice(at === 0 ? 1 : 0).map((to) => ({ from, to })));
    return pairs.map(({ from, to }) => ({ name: undefined, ...from, references: to }));
  });
}

/** The sets of a table's columns that have no values twice, as a view of it has them. */
export function uniqueIn(base: Pick<ViewBase, "columns">, unique: readonly (readonly string[])[]): string[][] {
  return unique.flatMap((columns) => {
    const shown = shownIn(base, columns);
    return shown ? [shown] : [];
  });
}
