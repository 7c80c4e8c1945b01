import { cited, FilterError } from "./filter-error.ts";
import type { Parameter } from "./filter-text.ts";
import { isOperator, isQuantified, isRelation, isSearch, isTest, startsWithOperator } from "./operators.ts";
import { parsePattern } from "./pattern.ts";
import { TextReader } from "./text-reader.ts";
import { type Condition, type Filter, groupOf, opposite } from "./tree.ts";

/** How many conditions a filter may have. */
export const maxConditions = 64;
/** How deep its groups may be nested. */
export const maxDepth = 8;
/** How many values a list of `in` may have. */
export const maxListed = 1_000;

const operator = /^(not\.)?([a-z]+)(?:\(([^()]{1,63})\))?\./;
const groupName = /^(not\.)?(and|or)$/;
const groupStart = /^(not\.)?(and|or)\(/;
const states = ["null", "not_null", "true", "false", "unknown"];
const configurationName = /^[A-Za-z_][\w.]*$/;

/** @param written - in any case, and with blanks behind it */
function stateOf(column: string, written: string): Condition {
  const text = written.trimEnd().toLowerCase();
  if (!states.includes(text)) {
    throw new FilterError(`"is" takes one of ${states.join(", ")}, so ${cited(column)} can't be ${cited(written)}.`);
  }
  const isNull = text !== "true" && text !== "false";
  return { kind: "is", column, isNot: text === "not_null", state: isNull ? "null" : text };
}

function likenessOf(column: string, text: string, foldsCase: boolean): Condition {
  const pattern = parsePattern(text);
  if (pattern) return { kind: "like", column, isNot: false, pattern, foldsCase };
  throw new FilterError(`The pattern of ${cited(column)}, ${cited(text)}, ends with a "\\" or has a NUL.`);
}

/** What stands before a value: `eq`, `fts(english)`, `like(any)`. */
interface Asked {
  readonly column: string;
  readonly name: string;
  readonly modifier: string | undefined;
}

function conditionOf({ column, name, modifier }: Asked, text: string): Condition {
  if (isRelation(name)) return { kind: "compare", column, relation: name, literal: text };
  if (isTest(name))
    return { kind: "test", column, isNot: false, operator: name, literal: text, configuration: modifier };
  return name === "is" ? stateOf(column, text) : likenessOf(column, text, name === "ilike");
}

/** Whether an operator may have what stands in parentheses behind it. */
function takes(name: string, modifier: string): boolean {
  return isSearch(name) ? configurationName.test(modifier) : isQuantified(name) && /^(?:any|all)$/.test(modifier);
}

/** Reads the filters of one URL. */
class FilterReader {
  readonly #hasPaths: boolean;
  #conditions = 0;

  constructor(hasPaths: boolean) {
    this.#hasPaths = hasPaths;
  }

  parameter([name, value]: Parameter): Filter {
    const [, not, kind] = groupName.exec(name) ?? [];
    const reader = new TextReader(value, name);
    const filter = kind
      ? this.#group(reader, kind as "and" | "or", not !== undefined, 1)
      : this.#top(reader, name, value);
    reader.requireEnd();
    return filter;
  }

  /** A column's parameter. What stands behind its operator is the literal, whatever it has. */
  #top(reader: TextReader, column: string, value: string): Filter {
    if (!startsWithOperator.test(value)) {
      this.#count();
      return { kind: "compare", column, relation: "eq", literal: reader.rest() };
    }
    return this.#condition(reader, { column, isNot: false, depth: 0 }, () => reader.rest());
  }

  /** @param read - reads a value that is no list */
  #condition(
    reader: TextReader,
    { column, isNot, depth }: { readonly column: string; readonly isNot: boolean; readonly depth: number },
    read: () => string,
  ): Filter {
    const [, not, name = "", modifier] = reader.take(operator) ?? [];
    if (!isOperator(name))
      throw new FilterError(`There is no operator behind ${cited(column)} in ${cited(reader.name)}.`);
    if (modifier !== undefined && !takes(name, modifier))
      throw new FilterError(`The operator "${name}" of ${cited(column)} takes no ${cited(`(${modifier})`)}.`);
    const filter = this.#asked(reader, { column, name, modifier }, depth, read);
    return (not !== undefined) === isNot ? filter : opposite(filter);
  }

  #asked(reader: TextReader, asked: Asked, depth: number, read: () => string): Filter {
    const { column, name, modifier } = asked;
    if (modifier !== undefined && isQuantified(name)) return this.#quantified(reader, asked, depth);
    this.#count();
    if (name === "in") return { kind: "in", column, isNot: false, literals: this.#list(reader, "()") };
    if (name !== "isdistinct") return conditionOf(asked, read());
    // What is another value, or none.
    this.#count();
    requireDepth(depth + 1);
    const isNull: Condition = { kind: "is", column, isNot: false, state: "null" };
    return groupOf("or", [{ kind: "compare", column, relation: "neq", literal: read() }, isNull]);
  }

  /** `like(any).{a*,b*}`: each by itself. */
  #quantified(reader: TextReader, asked: Asked, depth: number): Filter {
    const { column, name, modifier } = asked;
    const literals = this.#list(reader, "{}");
    const isAny = modifier === "any";
    if ((isAny && name === "eq") || literals.length === 0) {
      this.#count();
      return { kind: "in", column, isNot: !isAny, literals };
    }
    if (literals.length > 1) requireDepth(depth + 1);
    const parts = literals.map((text) => {
      this.#count();
      return conditionOf({ column, name, modifier: undefined }, text);
    });
    return groupOf(isAny ? "or" : "and", parts);
  }

  #list(reader: TextReader, [open = "", close = ""]: string): string[] {
    const literals: string[] = [];
    reader.require(open);
    if (reader.passOver(close)) return literals;
    do {
      if (literals.length === maxListed) throw new FilterError(`A list of values has more than ${maxListed} values.`);
      literals.push(reader.value([",", close]));
    } while (reader.passOver(","));
    reader.require(close);
    return literals;
  }

  /** @param isNot - whether all of it is negated */
  #group(reader: TextReader, kind: "and" | "or", isNot: boolean, depth: number): Filter {
    requireDepth(depth);
    const parts: Filter[] = [];
    reader.require("(");
    do {
      reader.passSpaces();
      parts.push(this.#part(reader, isNot, depth));
      reader.passSpaces();
    } while (reader.passOver(","));
    reader.require(")");
    return groupOf((kind === "and") === isNot ? "or" : "and", parts);
  }

  #part(reader: TextReader, isNot: boolean, depth: number): Filter {
    const [, not, kind] = reader.look(groupStart) ?? [];
    if (kind === undefined) {
      const column = this.#hasPaths ? this.#path(reader) : reader.column();
      return this.#condition(reader, { column, isNot, depth }, () => reader.array() ?? reader.value([",", ")"]));
    }
    reader.take(/^(?:not\.)?(?:and|or)/);
    return this.#group(reader, kind as "and" | "or", isNot !== (not !== undefined), depth + 1);
  }

  /** Names up to the operator: `team.members.user`. */
  #path(reader: TextReader): string {
    let path = reader.column();
    const isOver = (): boolean => isOperator(reader.look(operator)?.[2] ?? "");
    while (!isOver() && reader.look(/^[^.,()"]+\./)) path += `.${reader.column()}`;
    return path;
  }

  #count(): void {
    this.#conditions += 1;
    if (this.#conditions > maxConditions)
      throw new FilterError(`The filter has more than ${maxConditions} conditions.`);
  }
}

function requireDepth(depth: number): void {
  if (depth > maxDepth) throw new FilterError(`The filter is nested more than ${maxDepth} levels deep.`);
}

/**
 * Reads a filter, as PostgREST writes them: `genre=rock`, `year=gte.1977`, `or=(year.is.null,not.and(a.eq.1,b.in.(1,2)))`.
 * All parameters must be met.
 *
 * @param hasPaths - whether a column's name may be a path of several, with dots between them, within a group, too
 * @throws FilterError where one can't be read, or the filter is larger than it may be
 */
export function parseFilter(parameters: readonly Parameter[], hasPaths = false): Filter {
  const reader = new FilterReader(hasPaths);
  const filters = parameters.map((parameter) => reader.parameter(parameter));
  const plain = new Set<string>();
  for (const [name, value] of parameters) {
    if (groupName.test(name) || startsWithOperator.test(value)) continue;
    if (plain.has(name)) throw new FilterError(`The parameter ${cited(name)} is given more than once.`);
    plain.add(name);
  }
  return groupOf("and", filters);
}
