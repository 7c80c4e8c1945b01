import type { BoundStatement, Row, Session } from "../driver.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Table } from "../table.ts";
import { type PostgresChange, readChanges, ShapeReader } from "./change.ts";
import type { WatchList } from "./watch-list.ts";

/** A row's place and check: what a client's position must match. */
export interface RowMark {
  readonly position: number;
  readonly check: number;
}

/** A part of the journal, as changes. */
export interface Stretch {
  readonly changes: readonly PostgresChange[];
  readonly end: RowMark;
  /** The check of the row that it follows; `undefined` where that is not there. */
  readonly startCheck: number | undefined;
}

/** How much of the journal is read at once, at most. */
export interface StretchLimits {
  readonly rows: number;
  /** Bytes of images; a row that has more comes alone. */
  readonly bytes: number;
  /** The last position. */
  readonly upTo: number;
}

const rowsSql = `
SELECT position, xid, kind, old, new, coalesce(octet_length(old), 0) + coalesce(octet_length(new), 0) + 32, shape, chk,
  (SELECT b.chk FROM rocket.journal b WHERE b.position = $1) FROM (
  SELECT *, first_value(total) OVER (ORDER BY position) AS start
  FROM (SELECT * FROM rocket.journal WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3) p) j
WHERE total - start < $4 ORDER BY position`;

/** The row at a position, or the one that its half belongs to: see `readChanges`. */
function rowBefore(position: number): number {
  return position - (position % 2);
}

/** Asks for the rows after a position. */
export function rowsAfter(position: number, { rows, bytes, upTo }: StretchLimits): BoundStatement {
  return { text: rowsSql, values: [rowBefore(position), upTo, rows, bytes].map(String) };
}

/** Reads the journal's rows. */
export class RowReader {
  readonly #format: RecordFormat;
  readonly #watchList: WatchList;
  /** By id. Descriptions don't change. */
  readonly #shapes: Map<string, ShapeReader> = new Map();

  constructor(format: RecordFormat, watchList: WatchList) {
    this.#format = format;
    this.#watchList = watchList;
  }

  /** The rows after a position, without a gap; `undefined` where the next one is not there, as where it was trimmed. */
  async after(session: Session, position: number, limits: StretchLimits): Promise<Stretch | undefined> {
    const { text, values } = rowsAfter(position, limits);
    return this.stretchOf(session, position, await session.query(text, values, "keep"));
  }

  /** What {@link rowsAfter} gave, as changes. */
  async stretchOf(session: Session, position: number, rows: readonly Row[]): Promise<Stretch | undefined> {
    const from = rowBefore(position);
    const last = rows.at(-1);
    if (!last || Number(rows[0]?.[0]) !== from + 2) return undefined;
    await this.#learn(
      session,
      rows.map((row) => row[6] ?? ""),
    );
    const watched = this.#watchedOf(rows.map((row) => row[6] ?? ""));
    const changes = rows.flatMap((row) => {
      const shape = watched.get(row[6] ?? "");
      return shape ? readChanges(row, shape) : [];
    });
    const end = { position: Number(last[0]), check: Number(last[7]) };
    const startCheck = last[8] == null ? undefined : Number(last[8]);
    return { changes: changes.filter((change) => change.position > position), end, startCheck };
  }

  /** A reset of each collection that has a row after a position, in place of the rows. */
  async resetsAfter(session: Session, position: number, upTo: number): Promise<PostgresChange[]> {
    const sql = "SELECT DISTINCT shape FROM rocket.journal WHERE position > $1 AND position <= $2";
    const ids = (await session.query(sql, [position, upTo])).map(([id]) => id ?? "");
    await this.#learn(session, ids);
    return [...this.#watchedOf(ids).values()].flatMap((shape) =>
      readChanges([String(upTo), null, "r", null, null, "0"], shape),
    );
  }

  /** Of these shapes, those of tables that are watched now. */
  #watchedOf(ids: readonly string[]): Map<string, ShapeReader> {
    const watched = new Map<string, ShapeReader>();
    for (const id of new Set(ids)) {
      const shape = this.#shapes.get(id);
      if (shape && this.#watchList.has(shape.table)) watched.set(id, shape);
    }
    return watched;
  }

  async #learn(session: Session, ids: readonly string[]): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.#shapes.has(id));
    if (missing.length === 0) return;
    const rows = await session.query("SELECT id, description FROM rocket.shape WHERE id = ANY ($1)", [missing]);
    for (const [id, description] of rows) {
      const table = JSON.parse(description ?? "") as Table;
      this.#shapes.set(id ?? "", new ShapeReader(table, this.#format));
    }
  }
}
