/** What is told of a table: its rows, or only that something was written to it. */
export type Watching = "rows" | "touch";

/** A table by its names. */
export interface NamedTable {
  readonly schema: string;
  readonly name: string;
}

/** A table's name among those that can't be watched. */
export function nameOf({ schema, name }: NamedTable): string {
  return `${schema}.${name}`;
}

/** Which tables are watched: those whose rows are told, and those that answers turn out to depend on beside them. */
export class WatchList {
  readonly #hasRows: (schema: string, name: string) => boolean;
  readonly #touched: Map<string, NamedTable> = new Map();

  /** @param hasRows - whether a table's rows are told */
  constructor(hasRows: (schema: string, name: string) => boolean) {
    this.#hasRows = hasRows;
  }

  /** Those of which touches are told at least. */
  get touched(): readonly NamedTable[] {
    return [...this.#touched.values()];
  }

  hasRows({ schema, name }: NamedTable): boolean {
    return this.#hasRows(schema, name);
  }

  /** Whether anything is told of a table. */
  has(table: NamedTable): boolean {
    return this.isTouched(table) || this.hasRows(table);
  }

  isTouched(table: NamedTable): boolean {
    return this.#touched.has(nameOf(table));
  }

  /** Has it told when something is written to a table. */
  touch(table: NamedTable): void {
    this.#touched.set(nameOf(table), table);
  }
}
