import type { Embed, Tree, TreeQuery } from "../../engine/tree.ts";
import { requireEmbeddable } from "../../rest/embedded-size.ts";
import type { Row, Text } from "../driver.ts";
import { parseRow } from "../row-text.ts";

type JsonRow = readonly [row: string, ...embedded: (readonly JsonRow[])[]];

function treesOf(rows: readonly JsonRow[], { query }: Embed): Tree[] {
  return rows.map(([row, ...embedded]) => {
    return { row: parseRow(row), embedded: query.embeds.map((embed, at) => treesOf(embedded[at] ?? [], embed)) };
  });
}

/** A selected row with those that are embedded in it. */
export function treeIn(row: Row, { embeds, grouping }: TreeQuery): Tree {
  if (grouping) return { row, embedded: [] };
  const start = row.length - embeds.length;
  const read = (text: Text | undefined, embed: Embed): Tree[] => {
    requireEmbeddable(text ?? "");
    return treesOf(JSON.parse(text ?? "[]") as JsonRow[], embed);
  };
  return { row: row.slice(0, start), embedded: embeds.map((embed, at) => read(row[start + at], embed)) };
}
