import type { Ahead, Bookmark } from "../../../server/index.ts";
import type { Measure, Snapshot, TableSources } from "../../engine/snapshot.ts";
import { type Steps, wait } from "../../engine/steps.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unreadable } from "../../rest/record-filter.ts";
import { Refusal } from "../../rest/refusal.ts";
import type { Row } from "../driver.ts";
import { filterOperands } from "./condition-sql.ts";
import { incomparablePlace, isIncomparable, isUnreadable } from "./failure.ts";
import type { PostgresKey, PostgresQuery, PostgresSchema, PostgresTable } from "./served.ts";
import type { SourceFinder } from "./source-finder.ts";
import { countRecords, isAnotherFile, type Sql, selectRecord, selectRecords } from "./sql.ts";
import type { ViewerSession } from "./viewer-session.ts";

/**
 * Thrown where a table was emptied, or rewritten, after the snapshot was taken and before the table was read: TRUNCATE does
 * not spare those who have an older snapshot.
 */
export class EmptiedMeanwhile extends Error {}

/** Where a session's transaction stands. */
export interface SnapshotState {
  readonly viewer: Viewer;
  /** What the viewer's role may read. */
  readonly schema: PostgresSchema;
  readonly bookmark: Bookmark | undefined;
  readonly ahead?: Ahead | undefined;
  readonly unwatched: ReadonlyMap<string, string>;
  readonly finder: SourceFinder;
}

/** How many rows are fetched at first, and then. */
const [firstRows, moreRows] = [100, 500];
const cursor = "rocket_rows";

/** The database as a session's transaction sees it. */
export class PostgresSnapshot implements Snapshot {
  readonly schema: PostgresSchema;
  readonly bookmark: Bookmark | undefined;
  readonly ahead: Ahead | undefined;
  readonly unwatched: ReadonlyMap<string, string>;
  readonly viewer: Viewer;
  readonly session: ViewerSession;
  readonly #finder: SourceFinder;

  constructor(session: ViewerSession, { viewer, schema, bookmark, ahead, unwatched, finder }: SnapshotState) {
    this.session = session;
    this.viewer = viewer;
    this.schema = schema;
    this.bookmark = bookmark;
    this.ahead = ahead;
    this.unwatched = unwatched;
    this.#finder = finder;
  }

  isPrivate({ isPrivate }: PostgresTable): boolean {
    return isPrivate;
  }

  *sources(table: PostgresTable): Steps<TableSources> {
    return yield* wait(this.#finder.find(this.session, table));
  }

  *find(table: PostgresTable, key: PostgresKey): Steps<Row | undefined> {
    const [row] = yield* wait(this.rows(selectRecord(table, key)));
    if (!row) yield* this.#requireSameFile(isAnotherFile(table));
    return row;
  }

  *each(table: PostgresTable, query: PostgresQuery, limit: number, visit: (row: Row) => boolean): Steps<void> {
    const { text, values } = selectRecords(table, query, limit);
    yield* wait(this.#filtered(query, { text: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${text}`, values }));
    for (let count = firstRows; ; count = moreRows) {
      const rows = yield* wait(this.rows({ text: `FETCH ${count} FROM ${cursor}`, values: [] }));
      if (!rows.every(visit) || rows.length < count) break;
    }
    yield* this.#requireSameFile(`CLOSE ${cursor}; ${isAnotherFile(table)}`);
  }

  *measure(table: PostgresTable, query: PostgresQuery, limit: number): Steps<Measure> {
    const [row] = yield* wait(this.#filtered(query, countRecords(table, query, limit)));
    // Types whose values may have no place in an order have no comparison.
    return { count: Number(row?.[0] ?? 0), isComparable: true };
  }

  *#requireSameFile(script: string): Steps<void> {
    const [row] = yield* wait(this.session.script(script));
    if (row?.[0] === "t") throw new EmptiedMeanwhile("A table was emptied while it was read.");
  }

  /** @throws Refusal 400 where a column can't be compared with a literal of the filter */
  async #filtered({ filter }: PostgresQuery, { text, values }: Sql): Promise<Row[]> {
    try {
      return await this.session.query(text, values);
    } catch (error) {
      if (!isIncomparable(error)) throw error;
      const place = incomparablePlace(error, text);
      const operand = place === undefined ? undefined : filterOperands(filter)[place - 1];
      // It is a policy's own trouble.
      if (!operand) throw error;
      throw unreadable(operand.member, operand.value ?? "", "PostgreSQL does not take it.");
    }
  }

  /** @throws Refusal 400 where a value of the URL can't be read as its column's type */
  protected async rows({ text, values }: Sql): Promise<Row[]> {
    try {
      return await this.session.query(text, values);
    } catch (error) {
      // Without values it is a policy's own trouble.
      if (!isUnreadable(error) || values.length === 0) throw error;
      throw new Refusal(400, "A value in the URL can't be read as its column's type.");
    }
  }
}
