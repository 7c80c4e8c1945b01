import type { Column, Table } from "./schema.ts";
import { type SqlToken, tokenise, unquote } from "./sql-text.ts";

/** Where the columns of a view come from, and which of them tell its rows apart. */
export interface ViewOrigins {
  /** For each column of the view the one that it shows as it is; `undefined` where it is computed, or not known. */
  readonly columns: readonly (Column | undefined)[];
  /** The table, or view, that each of its rows is from, and its column that each column shows; `undefined` where that is not known. */
  readonly base: { readonly table: Table; readonly columns: readonly (string | undefined)[] } | undefined;
  /** Places of the view's columns that no two rows share; `undefined` where there are none, or not known. */
  readonly key: readonly number[] | undefined;
  /** Whether the key is a single integer that is never null. */
  readonly integerKey: boolean;
}

/** A table or view that a view is made of. */
interface Source {
  readonly alias: string;
  readonly table: Table;
}

interface Origin {
  readonly source: Source;
  readonly column: Column;
}

const unknown: ViewOrigins = { columns: [], base: undefined, key: undefined, integerKey: false };

const endsFrom = /^(?:where|group|having|window|order|limit)$/;
/** A compound query, or a join that gives rows that the first table does not have. */
const gathers = /^(?:union|intersect|except|values|right|full|natural|using|returning)$/;
const startsJoin = /^(?:left|inner|cross|join)$/;

function word(token: SqlToken | undefined): string {
  return token?.text.toLowerCase() ?? "";
}

function isName(token: SqlToken | undefined): token is SqlToken {
  return token !== undefined && /^["`[A-Za-z_\u0080-\u{10ffff}]/u.test(token.text);
}

function nameOf(token: SqlToken): string {
  return unquote(token.text).toLowerCase();
}

/** A list's parts, between what separates them outside of parentheses. */
function split(tokens: readonly SqlToken[], separator: string): SqlToken[][] {
  const parts: SqlToken[][] = [[]];
  const depth = Math.min(...tokens.map((token) => token.depth));
  for (const token of tokens) {
    if (token.depth === depth && word(token) === separator) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** `artists`, `artists a`, `artists AS a`. */
function readSource(tokens: readonly SqlToken[], find: (name: string) => Table | undefined): Source | undefined {
  const [first, ...rest] = tokens[1]?.text === "." && word(tokens[0]) === "main" ? tokens.slice(2) : tokens;
  const alias = word(rest[0]) === "as" ? rest.slice(1) : rest;
  const table = isName(first) ? find(nameOf(first)) : undefined;
  const [only, ...others] = alias;
  if (!first || !table || others.length > 0 || (only && !isName(only))) return undefined;
  return { alias: nameOf(only ?? first), table };
}

/** The column that `name` or `table.name` stands for. */
function resolve(tokens: readonly SqlToken[], sources: readonly Source[]): Origin | undefined {
  const isQualified = tokens.length === 3 && tokens[1]?.text === ".";
  const last = tokens.at(-1);
  if ((tokens.length !== 1 && !isQualified) || !isName(last) || (isQualified && !isName(tokens[0]))) return undefined;
  const [qualifier] = tokens;
  const among = isQualified && qualifier ? sources.filter(({ alias }) => alias === nameOf(qualifier)) : sources;
  const found = among.flatMap((source) => {
    const column = source.table.columns.find(({ name }) => name.toLowerCase() === nameOf(last));
    return column ? [{ source, column }] : [];
  });
  return found.length === 1 ? found[0] : undefined;
}

function isNumeric({ affinity }: Column): boolean {
  return affinity !== "text" && affinity !== "blob";
}

/** Whether a column's value is equal to one value of another at most, where that one is unique. */
function comparesExactly(own: Origin, other: Origin): boolean {
  if (own.source.table.integerKey) return true;
  // A text that is compared with a number may be equal to several, as `1` and `01` are, and so may one whatever its case.
  const isAlike = own.column.affinity === other.column.affinity || (isNumeric(own.column) && isNumeric(other.column));
  return isAlike && own.source.table.binary === true && other.source.table.binary === true;
}

/** The columns of a table, by its own names, of which no two rows share all values; `null` is no value. */
function uniqueColumns({ identity }: Table): readonly string[] {
  return identity.kind === "columns" ? identity.columns : (identity.key ?? []);
}

/** Whether a join gives at most one row for each that was there: it is an equality with the joined table's primary key. */
function joinsOne(condition: readonly SqlToken[], joined: Source, sources: readonly Source[]): boolean {
  if (condition.some((one) => /^(?:or|between|case)$/.test(word(one)))) return false;
  const given = new Set<string>();
  for (const part of split(condition, "and")) {
    const sides = split(part, "=").map((side) => resolve(side, sources));
    const [own, other] = sides[0]?.source === joined ? sides : [sides[1], sides[0]];
    if (sides.length !== 2 || own?.source !== joined || !other || other.source === joined) continue;
    if (comparesExactly(own, other)) given.add(own.column.name);
  }
  const key = uniqueColumns(joined.table);
  return key.length > 0 && key.every((name) => given.has(name));
}

/** What stands behind FROM, the table that gives the rows first; `undefined` where others may multiply them. */
function readSources(tokens: readonly SqlToken[], find: (name: string) => Table | undefined): Source[] | undefined {
  const joins: SqlToken[][] = [[]];
  for (const [at, token] of tokens.entries()) {
    const isNext = token.depth === 0 && startsJoin.test(word(token));
    const isWithin = startsJoin.test(word(tokens[at - 1])) || word(tokens[at - 1]) === "outer";
    if (isNext && !isWithin) joins.push([]);
    joins.at(-1)?.push(token);
  }
  const sources: Source[] = [];
  for (const [at, join] of joins.entries()) {
    const begin = join.findIndex((token) => word(token) === "join") + 1;
    const on = join.findIndex((token) => token.depth === 0 && word(token) === "on");
    const source = readSource(join.slice(begin, on < 0 ? undefined : on), find);
    if (!source || sources.some(({ alias }) => alias === source.alias)) return undefined;
    sources.push(source);
    if (at > 0 && (on < 0 || !joinsOne(join.slice(on + 1), source, sources))) return undefined;
  }
  return sources;
}

function ownColumns(source: Source): Origin[] {
  return source.table.columns.map((column) => ({ source, column }));
}

/** What one item of a SELECT list gives. */
function readItem(item: readonly SqlToken[], sources: readonly Source[]): (Origin | undefined)[] {
  const [first] = item;
  if (item.length === 1 && first?.text === "*") return sources.flatMap(ownColumns);
  if (item.length === 3 && item[2]?.text === "*" && item[1]?.text === "." && isName(first)) {
    return sources.filter(({ alias }) => alias === nameOf(first)).flatMap(ownColumns);
  }
  const as = item.findIndex((token) => word(token) === "as");
  const end = as >= 0 ? as : item.length === 2 || item.length === 4 ? item.length - 1 : item.length;
  return [resolve(item.slice(0, end), sources)];
}

/**
 * Reads where a view's columns come from, from its CREATE VIEW: where it is one SELECT of one table, with others joined by
 * their primary key. What is written otherwise has no known origins.
 *
 * @param width - how many columns the view has
 * @param find - a table, or view that was read before, by its name in lower case
 */
export function viewOrigins(createView: string, width: number, find: (name: string) => Table | undefined): ViewOrigins {
  const tokens = tokenise(createView).filter(({ text }) => text !== ";");
  const start = tokens.findIndex((token, at) => word(token) === "select" && word(tokens[at - 1]) === "as");
  const query = tokens.slice(start + 1);
  const from = query.findIndex((token) => token.depth === 0 && word(token) === "from");
  const isOutside = (token: SqlToken, words: RegExp): boolean => token.depth === 0 && words.test(word(token));
  if (start < 0 || from < 0 || query.some((token) => isOutside(token, gathers))) return unknown;
  const end = query.findIndex((token, at) => at > from && isOutside(token, endsFrom));
  const sources = readSources(query.slice(from + 1, end < 0 ? undefined : end), find);
  const [main] = sources ?? [];
  if (!sources || !main) return unknown;
  const list = query.slice(/^(?:distinct|all)$/.test(word(query[0])) ? 1 : 0, from);
  const origins = split(list, ",").flatMap((item) => readItem(item, sources));
  if (origins.length !== width) return unknown;
  const { identity } = main.table;
  const names = identity.kind === "columns" ? identity.columns : [];
  const key = names.map((name) =>
    origins.findIndex((origin) => origin?.source === main && origin.column.name === name),
  );
  const hasKey = key.length > 0 && !key.includes(-1);
  return {
    columns: origins.map((origin) => origin?.column),
    base: {
      table: main.table,
      columns: origins.map((origin) => (origin?.source === main ? origin.column.name : undefined)),
    },
    key: hasKey ? key : undefined,
    integerKey: hasKey && main.table.integerKey,
  };
}
