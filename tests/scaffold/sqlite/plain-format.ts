import type { RecordFormat } from "../../../src/scaffold/sqlite/record-format.ts";
import { type SqlValue, urlKey } from "../../../src/scaffold/sqlite/schema.ts";
import type { Value } from "../../../src/server/index.ts";

/** A value as a text that tells apart what SQLite tells apart, as far as JavaScript can. */
export function exactText(value: Value | undefined): string {
  if (value instanceof Uint8Array) return `blob ${Buffer.from(value).toString("hex")}`;
  if (typeof value === "bigint") return `number ${value}`;
  return `${typeof value} ${String(value)}`;
}

/** A key as a text that tells apart what SQLite tells apart. */
function exactKey(key: readonly SqlValue[]): string {
  return key.map(exactText).map(encodeURIComponent).join(",");
}

/** Shows records as they are stored. */
export const plainFormat: RecordFormat = {
  collectionPath: (table) => `/${table.name}`,
  recordUrl(table, key, row) {
    const { name, columns } = table;
    const values = urlKey(table).map((part) => row[columns.findIndex((column) => column.name === part)] ?? null);
    const isNamed = values.length > 0 && !values.includes(null);
    return `/${name}/${isNamed ? `key ${exactKey(values)}` : exactKey(key)}`;
  },
  represent: (table, key, row) => ({
    contentType: "application/json",
    body: JSON.stringify([table.name, key.map(exactText), row.map(exactText)]),
  }),
  imageMembers({ columns, identity }) {
    const names = columns.map(({ name }) => name);
    const all = identity.kind === "rowid" ? [...names, identity.alias] : names;
    return all.map((name, place) => ({ name, place, toImage: (value) => value }));
  },
};
