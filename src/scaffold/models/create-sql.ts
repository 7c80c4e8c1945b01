import { type Dialect, isNumber } from "./dialect.ts";
import type { ModelColumn, ModelTable } from "./tables.ts";

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function list(names: readonly string[]): string {
  return names.map(quoteName).join(", ");
}

function columnSql(column: ModelColumn, { key, isKeyMade }: ModelTable, dialect: Dialect): string {
  const name = quoteName(column.name);
  const isMade = isKeyMade && key.length === 1 && key[0] === column.name;
  const value = column.default === undefined || isMade ? undefined : dialect.literal(column.type, column.default);
  const { references } = column;
  return [
    `${name} ${isMade ? dialect.madeKey(column) : dialect.types[column.type]}`,
    ...(column.isOptional || isMade ? [] : ["NOT NULL"]),
    ...(value === undefined ? [] : [`DEFAULT ${value}`]),
    ...dialect.checks(column, name).map((check) => `CHECK (${check})`),
    ...(references
      ? [`REFERENCES ${quoteName(references.table)} (${quoteName(references.column)}) ON DELETE ${references.onDelete}`]
      : []),
  ].join(" ");
}

/** Tables in an order in which those that others name come first, as far as there is one. */
function ordered(tables: readonly ModelTable[]): ModelTable[] {
  const left = new Set(tables);
  const done: ModelTable[] = [];
  while (left.size > 0) {
    const names = new Set([...left].map(({ name }) => name));
    const isFree = ({ name, columns }: ModelTable): boolean =>
      columns.every(({ references }) => !references || references.table === name || !names.has(references.table));
    const [next] = [...left].filter(isFree).concat([...left]);
    if (!next) break;
    left.delete(next);
    done.push(next);
  }
  return done;
}

/** Takes out the references to tables that come later, for {@link laterSql}. */
function split(
  table: ModelTable,
  known: ReadonlySet<string>,
): readonly [now: ModelTable, later: readonly ModelColumn[]] {
  const isLater = ({ references }: ModelColumn): boolean =>
    references !== undefined && references.table !== table.name && !known.has(references.table);
  const columns = table.columns.map((column): ModelColumn => {
    const { references: _, ...others } = column;
    return isLater(column) ? others : column;
  });
  return [{ ...table, columns }, table.columns.filter(isLater)];
}

function laterSql(table: string, { name, references }: ModelColumn): string {
  const { table: other = "", column = "", onDelete = "RESTRICT" } = references ?? {};
  return `ALTER TABLE ${quoteName(table)} ADD FOREIGN KEY (${quoteName(name)}) REFERENCES ${quoteName(other)} (${quoteName(column)}) ON DELETE ${onDelete}`;
}

/** A name that no table has, nor another index: names of entities have no spaces. */
function indexSql(table: string, names: readonly string[], { namesIndexes }: Dialect): string {
  const name = namesIndexes ? `${quoteName(`${table} by ${names.join(", ")}`)} ` : "";
  return `CREATE INDEX ${name}ON ${quoteName(table)} (${list(names)})`;
}

/**
 * The statements that make tables.
 *
 * @param needsOrder - whether a foreign key can only name a table that is there
 */
export function createStatements(tables: readonly ModelTable[], dialect: Dialect, needsOrder: boolean): string[] {
  const known = new Set<string>();
  const [made, later, indexes]: string[][] = [[], [], []] as string[][];
  for (const table of needsOrder ? ordered(tables) : tables) {
    const [now, rest] = needsOrder ? split(table, known) : [table, []];
    known.add(table.name);
    const parts = [
      ...now.columns.map((column) => columnSql(column, now, dialect)),
      ...(now.isKeyMade ? [] : [`PRIMARY KEY (${list(now.key)})`]),
      ...now.unique.map((names) => `UNIQUE (${list(names)})`),
    ];
    made?.push(`CREATE TABLE ${quoteName(now.name)} (\n  ${parts.join(",\n  ")}\n)`);
    later?.push(...rest.map((column) => laterSql(table.name, column)));
    indexes?.push(...table.indexes.map((names) => indexSql(table.name, names, dialect)));
  }
  return [...(made ?? []), ...(later ?? []), ...new Set(indexes)];
}

/** What of the columns' bounds a database does not keep, in sentences. */
export function boundNotes(tables: readonly ModelTable[], dialect: Dialect): string[] {
  return tables.flatMap(({ name: table, columns }) =>
    columns.flatMap(({ name, type, pattern, default: value }) => [
      ...(pattern && type === "string" && !dialect.hasPatterns
        ? [`The regular expression of ${table}.${name} is not checked: SQLite has none.`]
        : []),
      ...(value !== undefined && (isNumber(type) || type === "boolean") && dialect.literal(type, value) === undefined
        ? [`The default of ${table}.${name} is no value of its type, so it has none.`]
        : []),
    ]),
  );
}
