import { brokenBytes } from "../sqlite/broken-text.ts";
import type { RecordFormat } from "../sqlite/record-format.ts";
import type { SqlValue, Table } from "../sqlite/schema.ts";
import { representRecord } from "./representation.ts";
import { type Member, type Resource, resourceOf, urlOf } from "./resource.ts";
import { canonicalValue } from "./value-kind.ts";

/** The values of all members. */
function allValues(table: Table, key: readonly SqlValue[], row: readonly SqlValue[]): readonly SqlValue[] {
  return table.identity.kind === "rowid" ? [...row.slice(0, table.columns.length), ...key] : row;
}

/**
 * A text that is not UTF-8 is what no filter is equal to, and has no place among others: bytes among texts, a text among
 * bytes.
 */
function imageOf(member: Member | undefined, value: SqlValue): SqlValue {
  const broken = brokenBytes(value);
  if (!broken) return canonicalValue(value);
  return member?.type.kind === "base64" ? value : broken;
}

/**
 * How the journal names and shows records: exactly as GET does.
 *
 * @param basePath - what stands before a table's name in URLs
 */
export function recordFormatBelow(basePath: string): RecordFormat {
  const resource = (table: Table): Resource => resourceOf(table, basePath);
  return {
    collectionPath: (table) => resource(table).path,
    recordUrl: (table, key, row) => urlOf(resource(table), allValues(table, key, row)),
    represent: (table, key, row) => representRecord(resource(table), allValues(table, key, row)),
    imageValue: (table, column, value) => imageOf(resource(table).members[column], value),
  };
}
