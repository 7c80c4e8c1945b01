/**
 * Which rule of the database a write broke. `raised`: a trigger or function of the database refused it in words of its
 * own, which are the schema's and hold no data.
 */
export type RuleKind = "unique" | "foreignKey" | "notNull" | "check" | "datatype" | "raised";

/** What an engine knows of a broken rule. */
export interface RuleDetails {
  /** The record's columns that it is about; none where they can't be told. */
  readonly columns?: readonly string[];
  /** A check's name, where it has one; what was said, where it was raised; of `datatype`, the value, where it is known. */
  readonly text?: string | undefined;
  /** Of `datatype`, all values that the column takes, where they are few enough to have names. */
  readonly taken?: readonly string[] | undefined;
  /** Of `unique`, whether the database itself gave the values, as a sequence does that is behind. */
  readonly isOwnValue?: boolean;
  /** Which write it was, where that is told at the end of the transaction. */
  readonly place?: Place | undefined;
}

/** Which of several a write is: places in lists, from 0. */
export interface Place {
  /** Of the request, in a batch. */
  readonly request?: number | undefined;
  /** Of the record, in the request's own list. */
  readonly record?: number | undefined;
}

/** Thrown where a write breaks a rule of the database. The service has the words for it, and the status. */
export class BrokenRule extends Error {
  readonly kind: RuleKind;
  readonly columns: readonly string[];
  readonly text: string | undefined;
  readonly taken: readonly string[];
  readonly place: Place | undefined;
  readonly isOwnValue: boolean;

  /** @param cause - the driver's own error */
  constructor(
    kind: RuleKind,
    { columns = [], text, taken = [], place, isOwnValue = false }: RuleDetails,
    cause: unknown,
  ) {
    super(`The write breaks a rule of the database: ${kind}`, { cause });
    this.name = "BrokenRule";
    this.kind = kind;
    this.columns = columns;
    this.text = text;
    this.taken = taken;
    this.place = place;
    this.isOwnValue = isOwnValue;
  }

  /** The same, of one of several writes. */
  at(place: Place): BrokenRule {
    const { columns, text, taken, isOwnValue } = this;
    return new BrokenRule(this.kind, { columns, text, taken, place, isOwnValue }, this.cause);
  }

  /** The same, about a column and what it was given. */
  of(column: string, text: string): BrokenRule {
    const { taken, place } = this;
    return new BrokenRule(this.kind, { columns: [column], text, taken, place }, this.cause);
  }

  /** The same, with what the column takes. */
  taking(taken: readonly string[]): BrokenRule {
    const { columns, text, place } = this;
    return new BrokenRule(this.kind, { columns, text, taken, place }, this.cause);
  }
}
