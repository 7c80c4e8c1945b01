import { boundChecks, type Dialect, isNumber, numberLiteral, quoteLiteral } from "./dialect.ts";
import type { AttributeType } from "./model.ts";
import type { ModelColumn } from "./tables.ts";

/** A random UUID of version 4. */
const randomUuid = `(lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-'
    || substr('89ab', 1 + (random() & 3), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))))`;

const ranges: Readonly<Partial<Record<AttributeType, readonly [string, string]>>> = {
  integer16: ["-32768", "32767"],
  integer32: ["-2147483648", "2147483647"],
};

function literal(type: AttributeType, text: string): string | undefined {
  if (isNumber(type)) return numberLiteral(type, text);
  if (type === "boolean") return text === "YES" ? "1" : text === "NO" ? "0" : undefined;
  return type === "binary" ? undefined : quoteLiteral(text);
}

function checks(column: ModelColumn, name: string): string[] {
  const { type } = column;
  if (type === "boolean") return [`${name} IN (0, 1)`];
  if (type === "string") return boundChecks(column, `length(${name})`, (text) => numberLiteral("integer64", text));
  if (type === "date") return boundChecks(column, `julianday(${name})`, (text) => `julianday(${quoteLiteral(text)})`);
  const [low, high] = ranges[type] ?? [];
  const own = low === undefined ? [] : [`${name} BETWEEN ${low} AND ${high}`];
  return [...own, ...boundChecks(column, name, (text) => numberLiteral(type, text))];
}

/** How SQLite writes a model's columns. */
export const sqliteDialect: Dialect = {
  types: {
    ...{ integer16: "INTEGER", integer32: "INTEGER", integer64: "INTEGER" },
    ...{ decimal: "NUMERIC", double: "REAL", float: "REAL", string: "TEXT", boolean: "BOOLEAN" },
    ...{ date: "DATETIME", binary: "BLOB", uuid: "TEXT", uri: "TEXT" },
  },
  madeKey: ({ type }) =>
    type === "uuid" ? `TEXT NOT NULL PRIMARY KEY DEFAULT ${randomUuid}` : "INTEGER NOT NULL PRIMARY KEY",
  literal,
  checks,
  hasPatterns: false,
  namesIndexes: true,
};
