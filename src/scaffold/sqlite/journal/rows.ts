import { valuesBytes } from "../../../server/index.ts";
import { mayBeBroken, textOfBytes } from "../broken-text.ts";
import type { Connection } from "../connection.ts";
import { readSchema } from "../introspect.ts";
import type { RecordFormat } from "../record-format.ts";
import type { SqlValue, Table } from "../schema.ts";
import { ArmReader, SqliteChange } from "./change.ts";
import { doubtfulArms } from "./doubt.ts";
import { armTable, journalTable } from "./names.ts";
import { readWidth } from "./tables.ts";
import type { IsWatched } from "./watched.ts";

/** A journal row's place and check: what a client's position must match. */
export interface RowMark {
  readonly position: number;
  readonly check: number;
}

/** The mark before the first row. */
export const startMark: RowMark = { position: 0, check: 0 };

const noArms: ReadonlySet<number> = new Set();

/** A part of the journal, as changes. */
export interface Stretch {
  readonly changes: readonly SqliteChange[];
  readonly end: RowMark;
  /** About how many bytes they hold. */
  readonly bytes: number;
}

/** Sums terms in groups: SQLite takes an expression of 1,000 levels at most. */
function sumOf(terms: readonly string[]): string {
  if (terms.length <= 50) return terms.join(" + ") || "0";
  const middle = terms.length >> 1;
  return `(${sumOf(terms.slice(0, middle))}) + (${sumOf(terms.slice(middle))})`;
}

/** Asks for the sizes of images: they stand in a row's head, so that nothing large is read for them. */
/** How many bytes a row has in some columns, as SQL. */
export function sizeOf(columns: readonly string[]): string {
  return sumOf(columns.map((column) => `ifnull(octet_length(${column}), 0)`));
}

function measureSql(width: number): string {
  const columns = Array.from({ length: width }, (_, place) => [`n${place}`, `o${place}`]).flat();
  return `SELECT position, ${sizeOf(columns)} FROM ${journalTable} WHERE position > ? ORDER BY position LIMIT ?`;
}

function endOf(rows: readonly (readonly SqlValue[])[]): RowMark {
  const last = rows.at(-1);
  return last ? markOf([last[0] ?? null, last[3] ?? null]) : startMark;
}

function markOf(row: readonly SqlValue[] | undefined): RowMark {
  return row ? { position: Number(row[0]), check: Number(row[1]) } : startMark;
}

/** Reads a journal's rows through one connection, inside the caller's read transactions. */
export class RowReader {
  readonly #connection: Connection;
  readonly #format: RecordFormat;
  readonly #isWatched: IsWatched;
  readonly #armedVersion: () => number;
  readonly #arms: Map<number, ArmReader | undefined> = new Map();
  /** What can't be told at a `schema_version`. */
  #doubt: { readonly version: number; readonly arms: ReadonlySet<number> } | undefined;
  #width: number | undefined;

  /** @param armedVersion - the `schema_version` that the triggers were last checked against */
  constructor(connection: Connection, format: RecordFormat, isWatched: IsWatched, armedVersion: () => number) {
    this.#connection = connection;
    this.#armedVersion = armedVersion;
    this.#format = format;
    this.#isWatched = isWatched;
  }

  /** The schema changed: the journal may have become wider. */
  forget(): void {
    this.#width = undefined;
    this.#doubt = undefined;
    this.#arms.clear();
  }

  /** The last row. */
  head(): RowMark {
    const sql = `SELECT position, chk FROM ${journalTable} ORDER BY position DESC LIMIT 1`;
    return markOf(this.#connection.prepare(sql).all()[0]);
  }

  /** The first row's position; `undefined` in an empty journal. */
  first(): number | undefined {
    const [row] = this.#connection.prepare(`SELECT min(position) FROM ${journalTable}`).all();
    return typeof row?.[0] === "number" ? row[0] : undefined;
  }

  /** Whether the journal has just this row, or starts at its beginning where the mark does. */
  has({ position, check }: RowMark): boolean {
    if (position === 0) return check === 0 && (this.first() ?? 1) === 1;
    const [row] = this.#connection.prepare(`SELECT chk FROM ${journalTable} WHERE position = ?`).all(position);
    return row?.[0] === check;
  }

  /**
   * The rows after a position, as changes; those of tables of which the journal may not have what happened as resets. At most `limit`, and no
   * more once they hold `maxBytes`; where there is one, at least one.
   */
  after(position: number, limit: number, maxBytes: number): Stretch {
    this.#width ??= readWidth(this.#connection);
    const width = this.#width;
    const places = Array.from({ length: width }, (_, place) => place);
    const images = [...places.map((place) => `n${place}`), ...places.map((place) => `o${place}`)].join(", ");
    const rows: SqlValue[][] = [];
    const sizes: number[] = [];
    let bytes = 0;
    const statement = this.#connection.prepare(
      `SELECT position, arm, has, chk${images && `, ${images}`} FROM ${journalTable} WHERE position > ? ORDER BY position LIMIT ?`,
    );
    const take = (row: SqlValue[]): boolean => {
      const size = valuesBytes(row);
      rows.push(row);
      sizes.push(size);
      bytes += size;
      return bytes < maxBytes;
    };
    statement.each(take, position, limit);
    const changes: SqliteChange[] = [];
    const doubtful = rows.length > 0 ? this.#doubtful() : noArms;
    for (const [at, row] of rows.entries()) {
      const arm = this.#arm(Number(row[1]));
      if (doubtful.has(Number(row[1]))) row[2] = 0;
      if (arm) this.#restoreTexts(row, width);
      if (arm) changes.push(new SqliteChange(row, arm, width, sizes[at] ?? 0));
    }
    return { changes, end: endOf(rows), bytes };
  }

  /** A reset of each collection that has a row after a position, in place of the rows. */
  resetsAfter(position: number, { position: at, check }: RowMark): SqliteChange[] {
    const rows = this.#connection
      .prepare(`SELECT DISTINCT arm FROM ${journalTable} WHERE position > ? AND position <= ?`)
      .all(position, at);
    return rows.flatMap(([id]) => {
      const arm = this.#arm(Number(id));
      return arm ? [new SqliteChange([at, id ?? null, 0, check], arm, 0, 0)] : [];
    });
  }

  /** How many bytes the rows after a position hold, at most `limit` of them and about `maxBytes`, and where they end. */
  measure(position: number, limit: number, maxBytes: number): { readonly bytes: number; readonly position: number } {
    this.#width ??= readWidth(this.#connection);
    let bytes = 0;
    let end = position;
    const add = ([at, size]: SqlValue[]): boolean => {
      bytes += Number(size);
      end = Number(at);
      return bytes < maxBytes;
    };
    this.#connection.prepare(measureSql(this.#width)).each(add, position, limit);
    return { bytes, position: end };
  }

  /** The arms that were made for another schema than there is, and of which the journal may not have what happened. */
  #doubtful(): ReadonlySet<number> {
    const version = Number(this.#connection.prepare("PRAGMA schema_version").all()[0]?.[0]);
    if (version === this.#armedVersion()) return noArms;
    if (this.#doubt?.version !== version) {
      this.#doubt = { version, arms: doubtfulArms(this.#connection, readSchema(this.#connection)) };
    }
    return this.#doubt.arms;
  }

  /** Puts the texts of a row in as they are stored, where what the driver gives may stand for several. */
  #restoreTexts(row: SqlValue[], width: number): void {
    for (const [index, value] of row.entries()) {
      if (!mayBeBroken(value) || this.#isUtf16()) continue;
      const place = index - 4;
      const column = place < width ? `n${place}` : `o${place - width}`;
      const sql = `SELECT CAST(${column} AS BLOB) FROM ${journalTable} WHERE position = ?`;
      const bytes = this.#connection.prepare(sql).all(row[0] ?? null)[0]?.[0];
      if (bytes instanceof Uint8Array) row[index] = textOfBytes(bytes);
    }
  }

  #isUtf16(): boolean {
    return String(this.#connection.prepare("PRAGMA encoding").all()[0]?.[0]).startsWith("UTF-16");
  }

  #arm(id: number): ArmReader | undefined {
    if (this.#arms.has(id)) return this.#arms.get(id);
    const [row] = this.#connection.prepare(`SELECT name, description FROM ${armTable} WHERE id = ?`).all(id);
    const arm =
      row && this.#isWatched(String(row[0]))
        ? new ArmReader(JSON.parse(String(row[1])) as Table, this.#format)
        : undefined;
    this.#arms.set(id, arm);
    return arm;
  }
}
