import type { Client } from "../../client/index.ts";
import { formatParameters, isWord, type Parameter } from "../query-text.ts";
import type { Row } from "../rows/row-source.ts";
import type { Column, Reference, Schema } from "../schema.ts";

/** How many are offered at once. */
const most = 30;

/** A key, and what tells a person whose it is. */
export type FoundKey = readonly [key: string, label: string];

/** Finds keys that begin, or whose records' names begin, with a text. */
export type FindKeys = (text: string) => Promise<readonly FoundKey[]>;

/** The texts by which a person may know a record: one alone where it is called so. */
function labelsIn(schema: Schema | undefined, { url }: Reference): readonly string[] {
  const found = schema?.collections.find((one) => one.url === url);
  const texts = found?.columns.filter((column) => isWord(column) && !found.key.includes(column.name)) ?? [];
  const names = texts.map(({ name }) => name);
  const called = [/^(?:name|title|subject|label)$/i, /(?:name|title|subject|label|mail)$/i].flatMap(
    (pattern) => names.find((name) => pattern.test(name)) ?? [],
  );
  return called.length > 0 ? called.slice(0, 1) : names;
}

/** The column that tells most of some rows from each other; the first of them where several do. */
function mostTelling(names: readonly string[], rows: readonly Row[]): string | undefined {
  const countOf = (name: string): number => new Set(rows.map((row) => row[name])).size;
  return names.reduce<string | undefined>(
    (best, name) => (best === undefined || countOf(name) > countOf(best) ? name : best),
    undefined,
  );
}

/** What finds the keys that a column may have; `undefined` where it refers to nothing. */
export function keyFinder(
  client: Client,
  schema: Schema | undefined,
  { references, kind }: Column,
): FindKeys | undefined {
  if (!references) return undefined;
  const { url, column } = references;
  const read = async (parameters: readonly Parameter[]): Promise<readonly Row[]> => {
    const all = [...parameters, ["limit", String(most)] as const];
    const response = await client.fetch(`${url}?${formatParameters(all)}`, { headers: { Accept: "application/json" } });
    return response.ok ? (Object.values((await response.json()) as object).find(Array.isArray) ?? []) : [];
  };
  const labels = labelsIn(schema, references);
  let chosen: Promise<string | undefined> | undefined;
  const choose = async (): Promise<string | undefined> =>
    labels.length < 2 ? labels[0] : mostTelling(labels, await read([["select", labels.join()]]));
  return async (text) => {
    chosen ??= choose();
    const label = await chosen;
    const isKey = kind === "number" && /^\d+$/.test(text);
    const wanted: Parameter[] =
      text === "" ? [] : isKey ? [[column, `gte.${text}`]] : label ? [[label, `ilike.${text}*`]] : [];
    const rows = await read([
      ...wanted,
      ["select", [column, ...(label ? [label] : [])].join()],
      ["order", isKey ? column : (label ?? column)],
    ]);
    return rows.map((row) => [String(row[column]), label ? String(row[label] ?? "") : ""]);
  };
}
