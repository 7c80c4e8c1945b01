import type { Embed, Tree, TreeQuery } from "../../engine/tree.ts";
import { requireEmbeddable } from "../../rest/embedded-size.ts";
import { textOfBytes } from "../broken-text.ts";
import type { SqlValue } from "../schema.ts";
import type { SqliteTable } from "./served.ts";
import { isNotAscii } from "./sql.ts";

/** How many values stand in one list of a row: SQLite's functions take some 100 at most. */
const chunkSize = 50;

/** A value as a text that says what it is, so that all of it is there again behind JSON, which has fewer sorts. */
export function encoded(name: string): string {
  return `CASE typeof(${name}) WHEN 'null' THEN NULL WHEN 'text' THEN 't' || ${name} WHEN 'integer' THEN 'i' || ${name} WHEN 'real' THEN 'r' || printf('%!.17g', ${name}) ELSE 'b' || hex(${name}) END`;
}

/** As {@link encoded}, for a text that may not be UTF-8. */
export function encodedKeyText(name: string): string {
  return `CASE WHEN ${isNotAscii(name)} THEN 'h' || hex(CAST(${name} AS BLOB)) ELSE ${encoded(name)} END`;
}

/** A row: lists of its values, and behind them the rows of each embed. */
export function jsonArray(values: readonly string[], embeds: readonly string[]): string {
  const chunks: string[] = [];
  for (let start = 0; start < values.length; start += chunkSize) {
    chunks.push(`json_array(${values.slice(start, start + chunkSize).join(", ")})`);
  }
  return `json_array(${[...chunks, ...embeds.map((embed) => `json(${embed})`)].join(", ")})`;
}

function decode(text: string | null): SqlValue {
  if (text === null) return null;
  const rest = text.slice(1);
  switch (text[0]) {
    case "i":
      return Number.isSafeInteger(Number(rest)) ? Number(rest) : BigInt(rest);
    case "r":
      return Number(rest.replace("Inf", "Infinity"));
    case "b":
      return new Uint8Array(Buffer.from(rest, "hex"));
    case "h":
      return textOfBytes(Buffer.from(rest, "hex"));
    default:
      return rest;
  }
}

type JsonRow = readonly (readonly (string | null)[] | readonly JsonRow[])[];

function treeOf(row: JsonRow, { embeds, grouping }: TreeQuery, table: SqliteTable): Tree {
  const count = Math.ceil((grouping?.cells ?? table.members).length / chunkSize);
  const values = row.slice(0, count).flat() as (string | null)[];
  return { row: values.map(decode), embedded: embeds.map((embed, at) => treesOf(row[count + at] as JsonRow[], embed)) };
}

function treesOf(rows: readonly JsonRow[], { query, table }: Embed): Tree[] {
  return rows.map((row) => treeOf(row, query, table as SqliteTable));
}

/** The records of an embed, from the JSON that was made of them. */
export function readTrees(json: SqlValue | undefined, embed: Embed): Tree[] {
  const text = String(json);
  requireEmbeddable(text);
  return treesOf(JSON.parse(text) as JsonRow[], embed);
}
