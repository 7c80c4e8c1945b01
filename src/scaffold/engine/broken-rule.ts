/**
 * Which rule of the database a write broke. `raised`: a trigger or function of the database refused it in words of its
 * own, which are the schema's and hold no data.
 */
export type RuleKind = "unique" | "foreignKey" | "notNull" | "check" | "datatype" | "raised";

/** What an engine knows of a broken rule. */
export interface RuleDetails {
  /** The record's columns that it is about; none where they can't be told. */
  readonly columns?: readonly string[];
  /** A check's name, where it has one; what was said, where it was raised. */
  readonly text?: string | undefined;
}

/** Thrown where a write breaks a rule of the database. The service has the words for it, and the status. */
export class BrokenRule extends Error {
  readonly kind: RuleKind;
  readonly columns: readonly string[];
  readonly text: string | undefined;

  /** @param cause - the driver's own error */
  constructor(kind: RuleKind, { columns = [], text }: RuleDetails, cause: unknown) {
    super(`The write breaks a rule of the database: ${kind}`, { cause });
    this.name = "BrokenRule";
    this.kind = kind;
    this.columns = columns;
    this.text = text;
  }
}
