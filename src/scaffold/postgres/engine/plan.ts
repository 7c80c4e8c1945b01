import type { NamedTable } from "../journal/watch-list.ts";

/** What a plan of PostgreSQL names. */
export interface PlanNames {
  /** The relations that are read. */
  readonly relations: readonly NamedTable[];
  /** What is called in its texts: functions, and words that only look so. */
  readonly called: ReadonlySet<string>;
}

const call = /("(?:[^"]|"")+"|[\p{L}_][\p{L}\p{N}_$]*)\s*\(/gu;

function nameIn(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/**
 * Reads what `EXPLAIN (FORMAT JSON, VERBOSE)` gave: relations, and the functions that are still called. What was written
 * into the query by PostgreSQL itself is in it: policies, views, and functions in SQL that vanished into it.
 */
export function readPlan(json: string): PlanNames {
  const relations = new Map<string, NamedTable>();
  const called = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === "string") for (const [, name = ""] of value.matchAll(call)) called.add(nameIn(name));
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
