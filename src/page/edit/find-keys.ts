import type { Client } from "../../client/index.ts";
import { formatParameters, type Parameter } from "../query-text.ts";
import type { Row } from "../rows/row-source.ts";
import type { Column, Reference, Schema } from "../schema.ts";

/** How many are offered at once. */
const most = 30;

/** A key, and what tells a person whose it is. */
export type FoundKey = readonly [key: string, label: string];

/** Finds keys that begin, or whose records' names begin, with a text. */
export type FindKeys = (text: string) => Promise<readonly FoundKey[]>;

/** The column by which a person knows a record: the first text that is called so, else the first one. */
function labelIn(schema: Schema | undefined, { url }: Reference): string | undefined {
  const found = schema?.collections.find((one) => one.url === url);
  const texts = found?.columns.filter(({ kind, name }) => kind === "text" && !found.key.includes(name)) ?? [];
  return (texts.find(({ name }) => /name|title|label|mail/i.test(name)) ?? texts[0])?.name;
}

/** What finds the keys that a column may have; `undefined` where it refers to nothing. */
export function keyFinder(
  client: Client,
  schema: Schema | undefined,
  { references, kind }: Column,
): FindKeys | undefined {
  if (!references) return undefined;
  const { url, column } = references;
  const label = labelIn(schema, references);
  return async (text) => {
    const isKey = kind === "number" && /^\d+$/.test(text);
    const wanted: Parameter[] =
      text === "" ? [] : isKey ? [[column, `gte.${text}`]] : label ? [[label, `ilike.${text}*`]] : [];
    const parameters: Parameter[] = [
      ...wanted,
      ["select", [column, ...(label ? [label] : [])].join()],
      ["order", isKey ? column : (label ?? column)],
      ["limit", String(most)],
    ];
    const response = await client.fetch(`${url}?${formatParameters(parameters)}`, {
      headers: { Accept: "application/json" },
    });
    const rows = response.ok ? (Object.values((await response.json()) as object).find(Array.isArray) ?? []) : [];
    return (rows as Row[]).map((row) => [String(row[column]), label ? String(row[label] ?? "") : ""]);
  };
}
