import { isGroup, type Pattern, type TestOperator, writePattern } from "../../../filter/index.ts";
import { isRuleGroup } from "../../engine/query.ts";
import { unreadable } from "../../rest/record-filter.ts";
import type { SqlValue } from "../schema.ts";
import { quoteName } from "../sql-text.ts";
import { expressionOf } from "./json-part.ts";
import type { SqliteCondition, SqliteFilter, SqliteLinked, SqliteMember, SqliteRule } from "./served.ts";

/** A statement, or a part of one, and what is bound to it. Names are always quoted, values always bound. */
export interface Sql {
  readonly text: string;
  readonly values: readonly SqlValue[];
}

const operators = { neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/**
 * A column so that it is compared byte for byte. It stands by itself where that makes no difference: more indexes serve it
 * so. Only texts have collations.
 */
function exactly(member: SqliteMember, values: readonly SqlValue[]): string {
  const { collation } = member;
  const isPlain = collation === "binary" || (collation === "other" && !values.some(isText));
  return isPlain ? expressionOf(member) : `${expressionOf(member)} COLLATE BINARY`;
}

function isText(value: SqlValue): boolean {
  return typeof value === "string";
}

/**
 * A test for equality byte for byte, whatever the column's collation; texts are compared by that too, so that its index
 * serves.
 *
 * @param test - what stands behind the column
 */
function equality(member: SqliteMember, test: string, values: readonly SqlValue[]): Sql {
  const exact = `${exactly(member, values)} ${test}`;
  if (member.collation !== "other" || !values.some(isText)) return { text: exact, values };
  return { text: `${quoteName(member.column)} ${test} AND ${exact}`, values: [...values, ...values] };
}

/** As {@link equality} with one value. */
export function equal(member: SqliteMember, value: SqlValue): Sql {
  return equality(member, "= ?", [value]);
}

function among(member: SqliteMember, values: readonly SqlValue[], isNot: boolean): Sql {
  const list = `(${values.map(() => "?").join(", ")})`;
  return isNot ? { text: `${exactly(member, values)} NOT IN ${list}`, values } : equality(member, `IN ${list}`, values);
}

/** An index serves how a GLOB begins. */
function asGlob(pattern: Pattern): string {
  return writePattern(pattern, { one: "?", many: "*", escape: (text) => text.replace(/[*?[]/, "[$&]") });
}

function asLike(pattern: Pattern): string {
  return writePattern(pattern, { one: "_", many: "%", escape: (text) => text.replace(/[%_\\]/, "\\$&") });
}

/** What is no text looks like nothing: GLOB and LIKE would make texts of it. */
function alike({ column, isNot, pattern, foldsCase }: Extract<SqliteCondition, { kind: "like" }>): Sql {
  const name = expressionOf(column);
  const test = foldsCase ? "LIKE ? ESCAPE '\\'" : "GLOB ?";
  const text = `typeof(${name}) = 'text' AND ${name} ${test}`;
  const values = [foldsCase ? asLike(pattern) : asGlob(pattern)];
  return { text: isNot ? `${name} IS NOT NULL AND NOT (${text})` : text, values };
}

/** A search as FTS5 has it; for a plain one and a phrase, words are words, whatever else FTS5 makes of them. */
function searchText(operator: TestOperator, text: string): string {
  if (operator === "fts") return text;
  const words = operator === "phfts" ? [text] : text.split(/\s+/).filter((word) => word !== "");
  return words.map((word) => `"${word.replaceAll('"', '""')}"`).join(" ");
}

/** @throws Refusal 400 where a configuration is asked for */
function search(condition: Extract<SqliteCondition, { kind: "test" }>): Sql {
  const { column, isNot, operator, literal, configuration } = condition;
  if (configuration !== undefined)
    throw unreadable(column, String(literal), `FTS5 has no configurations, so "${operator}" takes none.`);
  const { column: name, textIndex } = column;
  const { table = "", rowid = "" } = textIndex ?? {};
  const found = `SELECT rowid FROM ${quoteName(table)} WHERE ${quoteName(name)} MATCH ?`;
  const test = `${quoteName(rowid)} ${isNot ? "NOT " : ""}IN (${found})`;
  return { text: `${quoteName(name)} IS NOT NULL AND ${test}`, values: [searchText(operator, String(literal))] };
}

function conditionSql(condition: SqliteCondition): Sql {
  const { column } = condition;
  switch (condition.kind) {
    case "compare": {
      const { relation, literal } = condition;
      if (relation === "eq") return equal(column, literal);
      return { text: `${exactly(column, [literal])} ${operators[relation]} ?`, values: [literal] };
    }
    case "in":
      return among(column, condition.literals, condition.isNot);
    case "like":
      return alike(condition);
    case "test":
      return search(condition);
    default: {
      const states = { null: "NULL", true: "1", false: "0" } as const;
      return {
        text: `${expressionOf(column)} IS ${condition.isNot ? "NOT " : ""}${states[condition.state]}`,
        values: [],
      };
    }
  }
}

/** Conditions that must all hold, or any of them. */
function joined(parts: readonly Sql[], word: "AND" | "OR"): Sql {
  return {
    text: parts.map(({ text }) => `(${text})`).join(` ${word} `) || (word === "AND" ? "1" : "0"),
    values: parts.flatMap(({ values }) => values),
  };
}

/** A filter as a condition that is true where the filter is; elsewhere it is false or NULL. */
export function filterSql(filter: SqliteFilter): Sql {
  if (!isGroup(filter)) return conditionSql(filter);
  return joined(filter.parts.map(filterSql), filter.kind === "and" ? "AND" : "OR");
}

/**
 * A condition on records of another table. It names no column of this one inside, so that neither needs another name there.
 */
function linkedSql({ columns, others, table, rule }: SqliteLinked): Sql {
  const [own, other] = [columns, others].map((members) => members.map(({ column }) => quoteName(column)).join(", "));
  const { text, values } = ruleSql(rule);
  const tuple = columns.length === 1 ? own : `(${own})`;
  return { text: `${tuple} IN (SELECT ${other} FROM ${quoteName(table.stored.name)} WHERE ${text})`, values };
}

/** A rule as a condition that is true where the rule is; elsewhere it is false or NULL. */
export function ruleSql(rule: SqliteRule): Sql {
  if (rule.kind === "linked") return linkedSql(rule);
  if (!isRuleGroup(rule)) return conditionSql(rule);
  return joined(rule.parts.map(ruleSql), rule.kind === "and" ? "AND" : "OR");
}
