import type { Representation, Value } from "../../server/index.ts";
import type { Text } from "./driver.ts";
import type { Table } from "./table.ts";

/** A column as filters know it. */
interface ImageMember {
  readonly name: string;
  /** Where a row has its value. */
  readonly place: number;
  /** A value as filters compare it. */
  toImage(value: Text): Value;
}

/** How rows look from outside: what the journal needs to name and show a record. */
export interface RecordFormat {
  /** The collection's path: `/artists`. */
  collectionPath(table: Table): string;
  /**
   * The record's URL: `/artists/1`.
   *
   * @param key - the values of the key's columns, in their order
   */
  recordUrl(table: Table, key: readonly Text[]): string;
  /**
   * The record as GET answers it.
   *
   * @param row - the values of `table.columns`, in their order
   */
  represent(table: Table, row: readonly Text[]): Representation;
  /** What filters compare of a row. */
  imageMembers(table: Table): readonly ImageMember[];
}
