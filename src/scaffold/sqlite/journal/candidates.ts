import { defaultExpression, quoteName } from "../sql-text.ts";
import type { TableDetails } from "../table-details.ts";
import type { Shape } from "./shape.ts";

/**
 * The row that is being written, as a FROM in which the names of the table's columns stand for its values. Before the
 * write neither generated columns nor the defaults of NOT NULL columns are filled in.
 */
function newRow({ table, generated }: TableDetails, shape: Shape, isUpdate: boolean): string {
  const plain = table.columns.filter((column) => !column.generated);
  const values = plain.map((column) => {
    const name = quoteName(column.name);
    if (isUpdate || !table.integerKey || column.primaryKeyPart === 0) return `${newValue(column)} AS ${name}`;
    // A key that SQLite will choose is -1 here.
    const next = `(SELECT coalesce(max(${name}), 0) + 1 FROM ${shape.from})`;
    return `CASE NEW.${name} WHEN -1 THEN ${next} ELSE NEW.${name} END AS ${name}`;
  });
  let source = `(SELECT ${values.join(", ")}) AS ${shape.name}`;
  for (const [name, sql] of generated)
    source = `(SELECT *, (${sql}) AS ${quoteName(name)} FROM ${source}) AS ${shape.name}`;
  return source;
}

function newValue(column: TableDetails["table"]["columns"][number]): string {
  const value = `NEW.${quoteName(column.name)}`;
  return column.notNull && column.defaultSql !== null
    ? `coalesce(${value}, ${defaultExpression(column.defaultSql)})`
    : value;
}

/** Conditions on the table's rows, each of which at most one row meets: those that the write would displace. */
export function candidates(details: TableDetails, shape: Shape, isUpdate: boolean): string[] {
  const { table, generated, uniqueIndexes } = details;
  const columns = new Map(table.columns.map((column) => [column.name, column]));
  const isGenerated = new Set(generated.map(([name]) => name));
  const conditions = uniqueIndexes.map(({ terms, where }) => {
    const equal = terms.map((term) => {
      if (term.kind === "expression")
        return `(${term.sql}) = (SELECT (${term.sql}) FROM ${newRow(details, shape, isUpdate)})`;
      const name = quoteName(term.name);
      const column = columns.get(term.name);
      const value =
        isGenerated.has(term.name) || !column
          ? `(SELECT ${name} FROM ${newRow(details, shape, isUpdate)})`
          : newValue(column);
      return `${shape.name}.${name} COLLATE ${quoteName(term.collation)} = ${value}`;
    });
    return [...equal, ...(where === undefined ? [] : [`(${where})`])].join(" AND ");
  });
  return shape.rowid === undefined ? conditions : [`${shape.name}.${shape.rowid} = NEW.${shape.rowid}`, ...conditions];
}
