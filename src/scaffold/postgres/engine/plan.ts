import type { NamedTable } from "../journal/watch-list.ts";

/** What a plan of PostgreSQL names. */
export interface PlanNames {
  /** The relations that are read. */
  readonly relations: readonly NamedTable[];
  /** What is called in its texts: functions, and words that only look so. */
  readonly called: ReadonlySet<string>;
}

const nameCharacter = /[\w$\u0080-\uffff]/;

/** The name that ends before a place in an expression; empty where none does. */
function nameBefore(text: string, place: number): string {
  let end = place;
  while (/\s/.test(text[end - 1] ?? "")) end -= 1;
  let start = end;
  if (text[end - 1] !== '"') {
    while (nameCharacter.test(text[start - 1] ?? "")) start -= 1;
    return text.slice(start, end);
  }
  start = end - 2;
  // Two quotes stand for one within a name.
  while (start > 0 && (text[start] !== '"' || text[start - 1] === '"')) start -= text[start] === '"' ? 2 : 1;
  return text.slice(Math.max(start, 0) + 1, end - 1).replaceAll('""', '"');
}

/** What stands before the parentheses of an expression. */
function* calledIn(text: string): Generator<string> {
  for (let at = text.indexOf("("); at >= 0; at = text.indexOf("(", at + 1)) {
    const name = nameBefore(text, at);
    if (name !== "") yield name;
  }
}

/**
 * Reads what `EXPLAIN (FORMAT JSON, VERBOSE)` gave: relations, and the functions that are still called. What was written
 * into the query by PostgreSQL itself is in it: policies, views, and functions in SQL that vanished into it.
 */
export function readPlan(json: string): PlanNames {
  const relations = new Map<string, NamedTable>();
  const called = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string") for (const name of calledIn(value)) called.add(name);
    if (typeof value !== "object" || value === null) return;
    const node = value as Readonly<Record<string, unknown>>;
    const { Schema: schema, "Relation Name": name, "Function Name": functionName } = node;
    if (typeof schema === "string" && typeof name === "string") relations.set(`${schema}.${name}`, { schema, name });
    if (typeof functionName === "string") called.add(functionName);
    for (const part of Object.values(node)) visit(part);
  };
  visit(JSON.parse(json));
  return { relations: [...relations.values()], called };
}
