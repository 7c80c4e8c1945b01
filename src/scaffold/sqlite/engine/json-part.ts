import { FilterError, type JsonPath } from "../../../filter/index.ts";
import type { Member } from "../../engine/table.ts";
import type { Operator } from "../../engine/value-type.ts";
import { formatJson } from "../../json/json.ts";
import { JsonNumber, parseJson } from "../../json/json-reader.ts";
import type { SqlValue } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import { parseNumber, type Resolved } from "./value-text.ts";
import { SqliteType } from "./value-type.ts";

const noJson = "that is no JSON: a text stands in double quotes.";

/**
 * What `->` leads to, as SQLite compares it: numbers and texts as such, true and false as 1 and 0, objects and arrays by
 * their text. Literals are JSON.
 */
class JsonPartType extends SqliteType {
  constructor() {
    super({ declaredType: "", affinity: "blob" }, false);
  }

  override readLiteral(operator: Operator, text: string): Resolved {
    const isComparison = /^(?:n?eq|[gl]te?|in)$/.test(operator);
    return isComparison ? literalOf(text) : super.readLiteral(operator, text);
  }

  override toText(value: SqlValue): string {
    if (typeof value !== "string") return super.toText(value);
    return /^[[{]/.test(value) && "value" in literalOf(value) ? value : JSON.stringify(value);
  }
}

function literalOf(text: string): Resolved {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    return { detail: noJson };
  }
  if (json === null) return { detail: '"is.null" asks for it.' };
  if (typeof json === "boolean") return { value: Number(json) };
  if (typeof json === "number" || json instanceof JsonNumber)
    return { value: parseNumber(formatJson(json), true) ?? null };
  return { value: typeof json === "string" ? json : formatJson(json) };
}

const types = { json: new JsonPartType(), text: new SqliteType({ declaredType: "TEXT", affinity: "text" }, false) };

/** What tells a part of a column's JSON from the column. */
export interface JsonPart {
  readonly name: string;
  readonly path: JsonPath;
  readonly type: SqliteType;
  readonly nulls: "lowest";
  readonly collation: "binary";
  readonly inKey: false;
  readonly textIndex: undefined;
}

/**
 * A part of a column's JSON as a member by itself.
 *
 * @throws FilterError where SQLite has no such path
 */
export function partOfJson(path: JsonPath): JsonPart {
  // SQLite takes what stands in a path as it stands.
  if (path.steps.some((step) => typeof step === "string" && /["\\\0]/.test(step)))
    throw new FilterError("SQLite has no path by a name with a quote or a backslash.");
  const type = path.isText ? types.text : types.json;
  return { name: path.text, path, type, nulls: "lowest", collation: "binary", inKey: false, textIndex: undefined };
}

function pathText(steps: JsonPath["steps"]): string {
  const parts = steps.map((step) => (typeof step === "string" ? `."${step}"` : `[${step < 0 ? `#${step}` : step}]`));
  return `'$${parts.join("").replaceAll("'", "''")}'`;
}

/** What stands in SQL for a member: its column, or a part of its JSON. What is no JSON has no parts. */
export function expressionOf({ column: name, path }: Pick<Member, "path"> & { readonly column: string }): string {
  const column = quoteName(name);
  if (!path) return column;
  const place = pathText(path.steps);
  const value = `${column} ->> ${place}`;
  if (!path.isText) return `CASE WHEN json_valid(${column}) THEN ${value} END`;
  // What is no text shows its JSON.
  const text = `CASE json_type(${column}, ${place}) WHEN 'text' THEN ${value} WHEN 'null' THEN NULL ELSE ${column} -> ${place} END`;
  return `CASE WHEN json_valid(${column}) THEN ${text} END`;
}
