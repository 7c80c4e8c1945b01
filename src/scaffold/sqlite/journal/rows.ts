import type { Connection } from "../connection.ts";
import type { RecordFormat } from "../record-format.ts";
import type { SqlValue, Table } from "../schema.ts";
import { ArmReader, SqliteChange } from "./change.ts";
import { armTable, journalTable } from "./names.ts";
import { readWidth } from "./tables.ts";

/** A journal row's place and check: what a client's position must match. */
export interface RowMark {
  readonly position: number;
  readonly check: number;
}

/** The mark before the first row. */
export const startMark: RowMark = { position: 0, check: 0 };

function markOf(row: readonly SqlValue[] | undefined): RowMark {
  return row ? { position: Number(row[0]), check: Number(row[1]) } : startMark;
}

/** Reads a journal's rows through one connection, inside the caller's read transactions. */
export class RowReader {
  readonly #connection: Connection;
  readonly #format: RecordFormat;
  readonly #isWatched: (name: string) => boolean;
  readonly #arms: Map<number, ArmReader | undefined> = new Map();
  #width: number | undefined;

  constructor(connection: Connection, format: RecordFormat, isWatched: (name: string) => boolean) {
    this.#connection = connection;
    this.#format = format;
    this.#isWatched = isWatched;
  }

  /** The schema changed: the journal may have become wider. */
  forget(): void {
    this.#width = undefined;
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

  /** The rows after a position, at most `limit`: their changes, where they end, how many they are. */
  after(position: number, limit?: number): { changes: SqliteChange[]; end: RowMark; count: number } {
    this.#width ??= readWidth(this.#connection);
    const width = this.#width;
    const places = Array.from({ length: width }, (_, place) => place);
    const images = [...places.map((place) => `n${place}`), ...places.map((place) => `o${place}`)].join(", ");
    const rows = this.#connection
      .prepare(
        `SELECT position, arm, has, chk${images && `, ${images}`} FROM ${journalTable} WHERE position > ? ORDER BY position LIMIT ?`,
      )
      .all(position, limit ?? -1);
    const changes: SqliteChange[] = [];
    for (const row of rows) {
      const arm = this.#arm(Number(row[1]));
      if (arm) changes.push(new SqliteChange(row, arm, width));
    }
    const last = rows.at(-1);
    const end = last ? markOf([last[0] ?? null, last[3] ?? null]) : startMark;
    return { changes, end, count: rows.length };
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
