/** What a column's values are, domains resolved: PostgreSQL's own name of the type, or `other` for one that is not its own. */
export type ColumnType =
  | { readonly kind: "array"; readonly delimiter: string; readonly element: ColumnType }
  | {
      readonly kind: string;
      /** What it is called where it is not PostgreSQL's own, without its schema. The journal's descriptions lack it. */
      readonly name?: string;
      /** Of an enum: the texts that it has, in their order. */
      readonly labels?: readonly string[];
      /** Of a `numeric`: how many digits it keeps behind the point; below 0, so many before it are zeros. Absent: it keeps all. */
      readonly scale?: number;
    };

/** A column of a table, generated ones included. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

/** A table as the journal knows it. A partition has the name and key of the table that it is a part of. */
export interface Table {
  readonly schema: string;
  readonly name: string;
  /** In the order of a row's text. */
  readonly columns: readonly Column[];
  /** The columns that tell its records apart. */
  readonly key: readonly string[];
  /** Whether two records may have one key in the middle of a transaction. */
  readonly isKeyDeferrable: boolean;
}

/** Whether a type is an array, by its description. */
export function isArrayType(type: ColumnType): type is Extract<ColumnType, { readonly kind: "array" }> {
  return type.kind === "array" && "element" in type;
}
