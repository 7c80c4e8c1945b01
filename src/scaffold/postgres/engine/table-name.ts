import { quoteName } from "../sql-text.ts";
import type { PostgresTable } from "./served.ts";

/** A table's name as SQL has it, with its schema's. */
export function tableName({ schema, ownName }: PostgresTable): string {
  return `${quoteName(schema)}.${quoteName(ownName)}`;
}
