/** Which rule of the database a write broke. */
export type ConstraintKind = "unique" | "foreignKey" | "notNull" | "check" | "datatype";

/** A broken rule, as far as SQLite tells. */
export interface Constraint {
  readonly kind: ConstraintKind;
  /** The table, where SQLite names it. */
  readonly table?: string;
  /** The columns; empty where SQLite names none. */
  readonly columns: readonly string[];
  /** What a trigger raises, or a CHECK's name or expression. */
  readonly text?: string;
}

interface DriverError {
  /** better-sqlite3: `SQLITE_BUSY_SNAPSHOT`. */
  readonly code?: unknown;
  /** node:sqlite: the extended result code. */
  readonly errcode?: unknown;
  readonly message?: unknown;
}

const primaryCodes: Readonly<Record<string, number>> = {
  ERROR: 1,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  PROTOCOL: 15,
  SCHEMA: 17,
  CONSTRAINT: 19,
  MISMATCH: 20,
  NOTADB: 26,
};

const constraintKinds: Readonly<Record<string, ConstraintKind>> = {
  275: "check",
  787: "foreignKey",
  1299: "notNull",
  1555: "unique",
  1811: "check",
  2067: "unique",
  2579: "unique",
  3091: "datatype",
  SQLITE_CONSTRAINT_CHECK: "check",
  SQLITE_CONSTRAINT_FOREIGNKEY: "foreignKey",
  SQLITE_CONSTRAINT_NOTNULL: "notNull",
  SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
  SQLITE_CONSTRAINT_TRIGGER: "check",
  SQLITE_CONSTRAINT_UNIQUE: "unique",
  SQLITE_CONSTRAINT_ROWID: "unique",
  SQLITE_CONSTRAINT_DATATYPE: "datatype",
};

/** SQLite's primary result code (5 for SQLITE_BUSY); `undefined` for an error that is not SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  const { code, errcode } = (typeof error === "object" && error !== null ? error : {}) as DriverError;
  if (typeof errcode === "number") return errcode & 255;
  if (typeof code !== "string" || !code.startsWith("SQLITE_")) return undefined;
  return primaryCodes[code.split("_")[1] ?? ""] ?? 1;
}

/** Whether another connection's lock was in the way, so that trying again can help. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 5 || code === 15;
}

/** Whether a statement's ON CONFLICT names columns that no unique rule is about. */
export function hasNoUniqueRule(error: unknown): boolean {
  const { message } = (typeof error === "object" && error !== null ? error : {}) as DriverError;
  return sqliteCode(error) === 1 && String(message).startsWith("ON CONFLICT clause does not match");
}

/** Whether a view has no trigger for what is written to it: one for an UPDATE may be for some columns only. */
export function hasNoTrigger(error: unknown): boolean {
  return error instanceof Error && /^cannot modify .* because it is a view$/s.test(error.message);
}

/** Whether the file, its folder or the connection allows no writes. */
export function isReadOnly(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 8 || code === 14;
}

/** The rule that a write broke; `undefined` for any other error. RAISE in a trigger counts as a check. */
export function constraintOf(error: unknown): Constraint | undefined {
  const primary = sqliteCode(error);
  if (primary === 20) return { kind: "datatype", columns: [] };
  if (primary !== 19) return undefined;
  const { code, errcode, message } = error as DriverError;
  // ON DELETE RESTRICT raises it as a trigger would.
  const isForeignKey = message === "FOREIGN KEY constraint failed";
  const kind = isForeignKey ? "foreignKey" : (constraintKinds[String(errcode ?? code)] ?? "check");
  const text = kind === "check" ? String(message).replace("CHECK constraint failed: ", "") : undefined;
  return { kind, ...namesIn(String(message)), ...(text === undefined ? {} : { text }) };
}

/** The table and columns of `UNIQUE constraint failed: t.a, t.b` and `cannot store TEXT value in INTEGER column t.a`. */
function namesIn(message: string): Pick<Constraint, "table" | "columns"> {
  const list = /(?:(?:UNIQUE|NOT NULL) constraint failed: |value in \w+ column )(.+)$/s.exec(message)?.[1];
  if (list === undefined || list.startsWith("index '")) return { columns: [] };
  const table = list.slice(0, list.indexOf("."));
  const columns = list.split(`, ${table}.`).map((name, index) => (index === 0 ? name.slice(table.length + 1) : name));
  return { table, columns };
}
