import fc from "fast-check";
import { expect } from "vitest";
import { conditionsOf, matchRow, parseFilter } from "../../src/filter/index.ts";
import type { Scaffold } from "../../src/scaffold/index.ts";
import { View } from "../../src/server/direct/view.ts";
import type { Change } from "../../src/server/index.ts";
import { sendTo } from "./answer.ts";

/** A column, and what its values are taken from and compared with. */
export interface SampleColumn {
  readonly name: string;
  /** Its type in SQL. */
  readonly type: string;
  /** Values in SQL. NULL is one of all columns. */
  readonly values: readonly string[];
  /** What filters have of it. */
  readonly literals: readonly string[];
  readonly patterns?: readonly string[];
  readonly isBoolean?: true;
  /** Whether equal values are shown as equal JSON, and texts alone as texts: then a client can tell. */
  readonly isPlain?: true;
}

/** A database with the table that {@link sampleSql} makes. */
export interface SampleService {
  readonly scaffold: Scaffold;
  run(sql: string): Promise<unknown>;
}

/** The table of the columns. */
export function sampleTable(columns: readonly SampleColumn[], id: string): string {
  return `CREATE TABLE t (id ${id}, ${columns.map(({ name, type }) => `${name} ${type}`).join(", ")})`;
}

const orders = ["eq", "neq", "gt", "gte", "lt", "lte"];

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** An operator that is asked of any of some values, or of all. */
function quantified(operator: fc.Arbitrary<string>, value: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom("", "not."), operator, fc.constantFrom("any", "all"), fc.array(value, { maxLength: 3 }))
    .map(([no, one, how, list]) => `${no}${one}(${how}).{${list.map(quoted).join(",")}}`);
}

function conditions({ name, literals, patterns = [], isBoolean }: SampleColumn): fc.Arbitrary<string> {
  const not = fc.constantFrom("", "not.");
  const literal = fc.constantFrom(...literals);
  const kinds = [
    fc.tuple(not, fc.constantFrom(...orders), literal).map(([no, order, one]) => `${no}${order}.${quoted(one)}`),
    fc.tuple(not, fc.array(literal, { maxLength: 3 })).map(([no, list]) => `${no}in.(${list.map(quoted).join(",")})`),
    fc.constantFrom("is.null", "is.not_null"),
    fc.tuple(not, literal).map(([no, one]) => `${no}isdistinct.${quoted(one)}`),
    quantified(fc.constantFrom("eq", "gt", "gte", "lt", "lte"), literal),
  ];
  if (isBoolean) kinds.push(fc.constantFrom("is.true", "is.false", "not.is.true", "not.is.false"));
  if (patterns.length > 0) {
    const pattern = fc.constantFrom(...patterns);
    kinds.push(
      fc.tuple(not, fc.constantFrom("like", "ilike"), pattern).map(([no, how, one]) => `${no}${how}.${quoted(one)}`),
      quantified(fc.constantFrom("like", "ilike"), pattern),
    );
  }
  return fc.oneof(...kinds).map((test) => `${name}.${test}`);
}

/** Filters of one condition each, and of some. */
function filters(columns: readonly SampleColumn[]): fc.Arbitrary<string> {
  const condition = fc.oneof(...columns.map(conditions));
  const group = fc
    .tuple(fc.constantFrom("and", "or", "not.and", "not.or"), fc.array(condition, { minLength: 1, maxLength: 3 }))
    .map(([kind, parts]) => `${kind}(${parts.join(",")})`);
  return fc.oneof({ weight: 3, arbitrary: condition }, { weight: 1, arbitrary: group });
}

/** A condition of each operator that a column has. */
function eachOperator({ name, literals, patterns, isBoolean }: SampleColumn): [operator: string, filter: string][] {
  const literal = quoted(literals[0] ?? "");
  const pattern = quoted(patterns?.[0] ?? "");
  return [
    ...orders.map((order): [string, string] => [order, `${order}.${literal}`]),
    ["in", `in.(${literal})`],
    ["is", isBoolean ? "is.true" : "is.null"],
    ["isdistinct", `isdistinct.${literal}`],
    ["eq(any)", `eq(any).{${literal},${literal}}`],
    ...(patterns ? ["like", "ilike"] : []).map((one): [string, string] => [one, `${one}.${pattern}`]),
  ].map(([operator = "", test]) => [operator, `${name}.${test}`]);
}

/** What a filter is asked for with. */
function parametersOf(filter: string): [name: string, value: string][] {
  const [, kind = "and", group = `(${filter})`] = /^((?:not\.)?(?:and|or))(\(.*)$/s.exec(filter) ?? [];
  return [[kind, group]];
}

function targetOf(filter: string): string {
  return `/t?${parametersOf(filter)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&")}`;
}

/**
 * Fills the table with rows by chance, and compares what filters by chance let through: those that the database answers,
 * those that a view lets in by their changes, and those of which a client says so by their JSON.
 *
 * @returns the operators that changes decide, by column
 */
export async function compareReaders(
  { scaffold, run }: SampleService,
  columns: readonly SampleColumn[],
  { rows, runs }: { readonly rows: number; readonly runs: number },
): Promise<Map<string, string[]>> {
  const changes: Change[] = [];
  const stop = scaffold.journal?.tail((batch) => changes.push(...batch.changes));
  const row = fc.tuple(...columns.map(({ values }) => fc.constantFrom("NULL", ...values)));
  for (const values of fc.sample(row, rows)) {
    await run(`INSERT INTO t (${columns.map(({ name }) => name).join(", ")}) VALUES (${values.join(", ")})`);
  }
  await scaffold.journal?.poll();
  stop?.();
  expect(changes.length).toBe(rows);
  const send = sendTo(scaffold);
  const shown = ((await send("GET", "/t")).json as { t: { id: number }[] }).t;
  const plain = new Set(columns.filter(({ isPlain }) => isPlain).map(({ name }) => name));
  let judgements = 0;
  const compareClient = (filter: string, ids: ReadonlySet<number>): void => {
    const parsed = parseFilter(parametersOf(filter));
    if (!conditionsOf(parsed).every(({ column }) => plain.has(column))) return;
    for (const one of shown) {
      const told = matchRow(parsed, { value: (name) => Reflect.get(one, name), order: () => undefined });
      if (told === undefined) continue;
      judgements += 1;
      expect([filter, one, told]).toEqual([filter, one, ids.has(one.id)]);
    }
  };
  const compare = async (filter: string): Promise<boolean> => {
    const { status, json, view } = await send("GET", targetOf(filter));
    expect([filter, status, json]).toEqual([filter, 200, expect.anything()]);
    compareClient(filter, new Set((json as { t: { id: number }[] }).t.map(({ id }) => id)));
    if (!view) return false;
    const direct = new View(view);
    const judged = changes.filter((change) => !direct.isUndecided(change));
    const entered = judged.filter((change) => direct.judge(change)?.status === 201).map(({ url }) => url);
    const urls = new Set(judged.map(({ url }) => url));
    const found = (json as { t: { id: number }[] }).t.map(({ id }) => `/t/${id}`).filter((url) => urls.has(url));
    expect([filter, entered]).toEqual([filter, found]);
    return true;
  };
  const decided = new Map<string, string[]>();
  for (const column of columns) {
    const operators: string[] = [];
    for (const [operator, filter] of eachOperator(column)) if (await compare(filter)) operators.push(operator);
    decided.set(column.name, operators);
  }
  await fc.assert(
    fc.asyncProperty(filters(columns), async (filter) => void (await compare(filter))),
    { numRuns: runs },
  );
  expect(judgements).toBeGreaterThan(rows);
  return decided;
}

/** Texts that are hard to compare, as SQL has them. */
export const hardTexts: readonly string[] = [
  ...[
    "",
    "a",
    "A",
    "b",
    "aé",
    "ae\u0301",
    "é",
    "É",
    "z",
    "ß",
    "ﬀ",
    "🎵",
    "a🎵",
    "ı",
    "%",
    "_",
    "a%b",
    "a*b",
    "[a]",
    "\\",
  ],
  ...["10", "9", "2026-01-31", "true", "null", "a.b", "a,b", '"', "a b", " a", "a ", "\u007f", "\ue000"],
];

/** Patterns for them. */
export const hardPatterns: readonly string[] = [
  ...[
    "*",
    "a*",
    "A*",
    "*b",
    "_",
    "__",
    "a_",
    "*é*",
    "É",
    "\\%",
    "*\\**",
    "[a]",
    "*]",
    "\\\\",
    "",
    "ß",
    "_🎵",
    "I",
    "i*",
    "a\\_*",
  ],
];

/** A text as SQL has it. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
