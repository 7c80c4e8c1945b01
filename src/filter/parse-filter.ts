import { FilterError } from "./filter-error.ts";
import { type Parameter, startsWithOperator } from "./filter-text.ts";
import { parsePattern } from "./pattern.ts";
import { TextReader } from "./text-reader.ts";
import { type Condition, type Filter, groupOf, negated, type Relation } from "./tree.ts";

/** How many conditions a filter may have. */
export const maxConditions = 64;
/** How deep its groups may be nested. */
export const maxDepth = 8;
/** How many values a list of `in` may have. */
export const maxListed = 1_000;

const relations: ReadonlySet<string> = new Set<Relation>(["eq", "neq", "gt", "gte", "lt", "lte"]);
const operator = /^(not\.)?(eq|neq|gt|gte|lt|lte|like|ilike|in|is)\./;
const groupName = /^(not\.)?(and|or)$/;
const groupStart = /^(not\.)?(and|or)\(/;
const states = ["null", "not_null", "true", "false", "unknown"];

/** A peer's text in a sentence. */
function cited(text: string): string {
  const start = text.slice(0, 100).replace(/[\ud800-\udbff]$/, "");
  return `"${text.length > start.length ? `${start}…` : text}"`;
}

function stateOf(column: string, text: string): Condition {
  if (!states.includes(text)) {
    throw new FilterError(`"is" takes one of ${states.join(", ")}, so ${cited(column)} can't be ${cited(text)}.`);
  }
  const isNull = text !== "true" && text !== "false";
  return { kind: "is", column, isNot: text === "not_null", state: isNull ? "null" : text };
}

function likenessOf(column: string, text: string, foldsCase: boolean): Condition {
  const pattern = parsePattern(text);
  if (pattern) return { kind: "like", column, isNot: false, pattern, foldsCase };
  throw new FilterError(`The pattern of ${cited(column)}, ${cited(text)}, ends with a "\\" or has a NUL.`);
}

function conditionOf(column: string, name: string, text: string): Condition {
  if (relations.has(name)) return { kind: "compare", column, relation: name as Relation, literal: text };
  return name === "is" ? stateOf(column, text) : likenessOf(column, text, name === "ilike");
}

/** Reads the filters of one URL. */
class FilterReader {
  #conditions = 0;

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
    return this.#condition(reader, column, false, () => reader.rest());
  }

  #condition(reader: TextReader, column: string, isNot: boolean, read: () => string): Condition {
    this.#count();
    const [found, not, name = ""] = reader.take(operator) ?? [];
    if (found === undefined)
      throw new FilterError(`There is no operator behind ${cited(column)} in ${cited(reader.name)}.`);
    const condition: Condition =
      name === "in"
        ? { kind: "in", column, isNot: false, literals: this.#list(reader) }
        : conditionOf(column, name, read());
    return (not !== undefined) === isNot ? condition : negated(condition);
  }

  #list(reader: TextReader): string[] {
    const literals: string[] = [];
    reader.require("(");
    if (reader.passOver(")")) return literals;
    do {
      if (literals.length === maxListed) throw new FilterError(`A list of "in" has more than ${maxListed} values.`);
      literals.push(reader.value());
    } while (reader.passOver(","));
    reader.require(")");
    return literals;
  }

  /** @param isNot - whether all of it is negated */
  #group(reader: TextReader, kind: "and" | "or", isNot: boolean, depth: number): Filter {
    if (depth > maxDepth) throw new FilterError(`The filter is nested more than ${maxDepth} levels deep.`);
    const parts: Filter[] = [];
    reader.require("(");
    do {
      reader.passSpaces();
      parts.push(this.#part(reader, isNot, depth));
    } while (reader.passOver(","));
    reader.require(")");
    return groupOf((kind === "and") === isNot ? "or" : "and", parts);
  }

  #part(reader: TextReader, isNot: boolean, depth: number): Filter {
    const [, not, kind] = reader.look(groupStart) ?? [];
    if (kind === undefined) {
      const column = reader.column();
      return this.#condition(reader, column, isNot, () => reader.value());
    }
    reader.take(/^(?:not\.)?(?:and|or)/);
    return this.#group(reader, kind as "and" | "or", isNot !== (not !== undefined), depth + 1);
  }

  #count(): void {
    this.#conditions += 1;
    if (this.#conditions > maxConditions)
      throw new FilterError(`The filter has more than ${maxConditions} conditions.`);
  }
}

/**
 * Reads a filter, as PostgREST writes them: `genre=rock`, `year=gte.1977`, `or=(year.is.null,not.and(a.eq.1,b.in.(1,2)))`.
 * All parameters must be met.
 *
 * @throws FilterError where one can't be read, or the filter is larger than it may be
 */
export function parseFilter(parameters: readonly Parameter[]): Filter {
  const reader = new FilterReader();
  const filters = parameters.map((parameter) => reader.parameter(parameter));
  const plain = new Set<string>();
  for (const [name, value] of parameters) {
    if (groupName.test(name) || startsWithOperator.test(value)) continue;
    if (plain.has(name)) throw new FilterError(`The parameter ${cited(name)} is given more than once.`);
    plain.add(name);
  }
  return groupOf("and", filters);
}
