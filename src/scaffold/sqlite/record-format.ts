import type { Representation, Value } from "../../server/index.ts";
import type { SqlValue, Table } from "./schema.ts";

/** A column as filters know it. */
export interface ImageMember {
  readonly name: string;
  /** Where a row has its value. */
  readonly place: number;
  /** A stored value as filters compare it. */
  toImage(value: SqlValue): Value;
}

/** How rows look from outside: what the journal needs to name and show a record. */
export interface RecordFormat {
  /** The collection's path: `/artists`. */
  collectionPath(table: Table): string;
  /**
   * The record's URL: `/artists/1`.
   *
   * @param key - the identity's values: the key's columns in the identity's order, or the rowid alone
   * @param row - the values of `table.columns`, in their order
   */
  recordUrl(table: Table, key: readonly SqlValue[], row: readonly SqlValue[]): string;
  /**
   * The record as GET answers it.
   *
   * @param row - the values of `table.columns`, in their order
   */
  represent(table: Table, key: readonly SqlValue[], row: readonly SqlValue[]): Representation;
  /** What filters compare of a row: its columns, and behind them the rowid, where that is the identity. */
  imageMembers(table: Table): readonly ImageMember[];
}
