import type { Condition } from "../../../filter/index.ts";
import type { Value } from "../../../server/index.ts";
import type { AggregateName, Decoded, Operator, ValueType } from "../../engine/value-type.ts";
import { brokenBytes } from "../broken-text.ts";
import type { Affinity, Column, SqlValue } from "../schema.ts";
import { formatKeyPart, isSameKey, parseKeyPart } from "./key-part.ts";
import { needsTextOrder, readLiteral } from "./literal.ts";
import { decodeJsonValue, encodeJsonValue, readStoredJson, type StoredValue } from "./value-json.ts";
import {
  canonicalValue,
  comparisonOf,
  isComparable,
  type StoredType,
  storedTypeOf,
  type TypedColumn,
  type ValueKind,
} from "./value-kind.ts";
import { formatValue, type Resolved, resolvePart } from "./value-text.ts";

const written = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?$/;

/** A moment as texts have it that SQLite's own functions read. @param zone - what counts where a text has none */
function moment(value: Value, zone: string | undefined): number | undefined {
  const [, date, time, own = zone] = (typeof value === "string" ? written.exec(value) : undefined) ?? [];
  const ms = own === undefined ? Number.NaN : Date.parse(`${date}T${time}${own}`);
  return Number.isNaN(ms) ? undefined : ms;
}

const momentOf = (value: Value): number | undefined => moment(value, undefined);
const momentInUtc = (value: Value): number | undefined => moment(value, "Z");

/** Whether a column's default shows that its texts are in UTC: SQLite's own clock is, unless it is told otherwise. */
function isUtcBy(defaultSql: string): boolean {
  return /CURRENT_TIMESTAMP|'now'/i.test(defaultSql) && !/localtime/i.test(defaultSql);
}

/** A column's type in SQLite: its kind from outside, and how SQLite converts what is compared with it. */
export class SqliteType implements ValueType, StoredType {
  readonly name: string;
  readonly kind: ValueKind;
  readonly affinity: Affinity;
  readonly numbersOnly: boolean;
  readonly holdsJson: boolean;
  readonly comparison: ValueType["comparison"];
  /** Whether its texts can be searched. */
  readonly isSearched: boolean;
  readonly toMoment: ValueType["toMoment"];
  readonly #sortsTexts: boolean;

  /**
   * @param column - of which the declared type, the affinity, whether it is checked for JSON and whether it is searched count
   * @param inKey - whether the column is a part of what tells records apart: JSON in a key is left as stored
   * @param sorts - whether its texts sort by code point: not in a database whose texts are UTF-16
   */
  constructor(column: TypedColumn & Pick<Partial<Column>, "textIndex" | "defaultSql">, inKey: boolean, sorts = true) {
    const { kind, affinity, numbersOnly } = storedTypeOf(column, inKey);
    this.name = column.declaredType;
    this.kind = kind;
    this.affinity = affinity;
    this.numbersOnly = numbersOnly;
    this.holdsJson = this.kind === "json";
    this.comparison = sorts ? comparisonOf(this) : undefined;
    this.#sortsTexts = sorts;
    this.isSearched = column.textIndex !== undefined;
    const isTime = /DATETIME|TIMESTAMP/i.test(column.declaredType);
    const read = isUtcBy(column.defaultSql ?? "") ? momentInUtc : momentOf;
    this.toMoment = isTime ? read : undefined;
  }

  isComparable(value: SqlValue): boolean {
    return isComparable(this, value);
  }

  toJson(value: SqlValue): string {
    return encodeJsonValue(this, value);
  }

  toExactJson(value: SqlValue): string {
    return typeof value === "bigint" ? String(value) : this.toJson(value);
  }

  fromJson(json: unknown, stored?: StoredValue): Decoded {
    return decodeJsonValue(this, json, stored);
  }

  readJson(value: SqlValue): unknown {
    return readStoredJson(this, value);
  }

  toText(value: SqlValue): string {
    return formatValue(this, value);
  }

  fromText(text: string): Resolved {
    return resolvePart(this, text);
  }

  readLiteral(operator: Operator, text: string): Resolved {
    return readLiteral(this, operator, text);
  }

  toKeyPart(value: SqlValue): string {
    return formatKeyPart(this, value);
  }

  fromKeyPart(part: string): Resolved {
    return parseKeyPart(this, part);
  }

  isSame(value: SqlValue, other: SqlValue): boolean {
    return isSameKey(value, other);
  }

  aggregate(name: AggregateName): SqliteType | undefined {
    if (name === "count") return new SqliteType({ declaredType: "INTEGER", affinity: "integer" }, false);
    if (name === "min" || name === "max") return this.kind === "json" || this.kind === "boolean" ? undefined : this;
    if (!this.numbersOnly || this.kind === "boolean") return undefined;
    return new SqliteType({ declaredType: "", affinity: name === "avg" ? "real" : "numeric" }, false);
  }

  isDecidedByImages(condition: Condition<unknown, SqlValue>): boolean {
    return this.#sortsTexts || !needsTextOrder(condition);
  }

  /**
   * A text that is not UTF-8 is what no filter is equal to, and has no place among others: bytes among texts, a text
   * among bytes.
   */
  toImage(value: SqlValue): SqlValue {
    const broken = brokenBytes(value);
    if (!broken) return canonicalValue(value);
    return this.kind === "base64" ? value : broken;
  }
}
