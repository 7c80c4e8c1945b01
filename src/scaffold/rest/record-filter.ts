import {
  type Condition,
  FilterError,
  formatFilter,
  type JsonPath,
  mapFilter,
  type Parameter,
  parseFilter,
  parseJsonPath,
} from "../../filter/index.ts";
import type { Value } from "../../server/index.ts";
import type { MemberCondition, RecordFilter } from "../engine/query.ts";
import type { Member } from "../engine/table.ts";
import type { Operator } from "../engine/value-type.ts";
import { listNames, Refusal, shorten } from "./refusal.ts";
import type { Resource } from "./resource.ts";

/** @throws Refusal 400 where what is read is malformed */
function parsed<Result>(parse: () => Result): Result {
  try {
    return parse();
  } catch (error) {
    if (error instanceof FilterError) throw new Refusal(400, error.message);
    throw error;
  }
}

/**
 * What filters and `order` can name: a column, or a path into one with JSON. A name that is one of a column's is no path.
 *
 * @throws Refusal 400 where there is no such column, or it has no JSON
 */
export function findOperand(resource: Resource, name: string): Member {
  const { members } = resource.table;
  const path = members.some((member) => member.name === name) ? undefined : parsed(() => parseJsonPath(name));
  const whole = path && members.find((member) => member.name === path.column);
  return path && whole ? requirePart(whole, path) : findColumn(resource, name);
}

/**
 * All that a record shows of its row, the rowid too where that is shown.
 *
 * @throws Refusal 400 where there is no such column
 */
export function findColumn({ table: { members } }: Resource, name: string): Member {
  const column = members.find((member) => member.name === name);
  if (column) return column;
  const names = listNames(members.map((member) => member.name));
  throw new Refusal(400, `There is no column "${shorten(name)}"; there are ${names}.`);
}

/** A part of a column's JSON, as a member by itself. @throws Refusal 400 where it has none, or the database has no such path */
export function requirePart({ name, at }: Member, path: JsonPath): Member {
  if (!at)
    throw new Refusal(400, `The column "${shorten(name)}" has no JSON, so "${shorten(path.text)}" leads nowhere.`);
  return parsed(() => at(path));
}

/** The 400 for a value that a column can't be compared with. */
export function unreadable({ name, type }: Member, text: string, reason: string): Refusal {
  const typeName = type.name === "" ? "" : `, of type ${shorten(type.name)},`;
  return new Refusal(
    400,
    `The column "${shorten(name)}"${typeName} can't be compared with "${shorten(text)}": ${reason}`,
  );
}

function readLiteral(member: Member, operator: Operator, text: string): Value {
  const decoded = member.type.readLiteral(operator, text);
  if ("detail" in decoded) throw unreadable(member, text, decoded.detail);
  return decoded.value;
}

/** Reads a condition on a column. @throws Refusal 400 where the column can't be asked so */
export function readCondition(resource: Resource, condition: Condition): MemberCondition {
  const column = findOperand(resource, condition.column);
  switch (condition.kind) {
    case "compare":
      return { ...condition, column, literal: readLiteral(column, condition.relation, condition.literal) };
    case "in":
      return { ...condition, column, literals: condition.literals.map((text) => readLiteral(column, "in", text)) };
    case "like": {
      readLiteral(column, condition.foldsCase ? "ilike" : "like", "");
      return { ...condition, column };
    }
    case "test":
      return { ...condition, column, literal: readLiteral(column, condition.operator, condition.literal) };
    default:
      readLiteral(column, "is", condition.state);
      return { ...condition, column };
  }
}

/**
 * Reads a collection's filter.
 *
 * @throws Refusal 400 naming what can't be
 */
export function parseRecordFilter(resource: Resource, parameters: readonly Parameter[]): RecordFilter {
  return mapFilter(
    parsed(() => parseFilter(parameters)),
    (condition) => readCondition(resource, condition),
  );
}

function writeCondition(condition: MemberCondition): Condition {
  const { name: column, type } = condition.column;
  if (condition.kind === "compare") return { ...condition, column, literal: type.toText(condition.literal) };
  if (condition.kind === "in")
    return { ...condition, column, literals: condition.literals.map((one) => type.toText(one)) };
  if (condition.kind === "test") return { ...condition, column, literal: String(condition.literal) };
  return { ...condition, column };
}

/** A filter's parameters in canonical form: filters that differ in spelling alone have the same. */
export function formatRecordFilter(filter: RecordFilter): Parameter[] {
  return formatFilter(mapFilter(filter, writeCondition));
}
