import type { KeptAnswer, Transaction } from "../../engine/snapshot.ts";
import { type Steps, wait } from "../../engine/steps.ts";
import { keyMembers } from "../../engine/table.ts";
import type { Row, Session } from "../driver.ts";
import { findAnswer, keepAnswer } from "./answers.ts";
import { brokenRule } from "./rule.ts";
import type { PostgresKey, PostgresMember, PostgresQuery, PostgresTable, PostgresValues } from "./served.ts";
import { PostgresSnapshot, type SnapshotState } from "./snapshot.ts";
import { deleteRecord, insertRecord, type Sql, selectRecord, tableName, updateRecord } from "./sql.ts";

interface Change {
  readonly values: PostgresValues;
  readonly defaulted?: readonly PostgresMember[];
}

/** A write, in a savepoint of its own. What it has read stays as it is until the end of the transaction. */
export class PostgresTransaction extends PostgresSnapshot implements Transaction {
  readonly #now: number;
  /** What was written last: rules that are checked late are about it. */
  #last: { readonly table: PostgresTable; readonly written: ReadonlySet<string> } | undefined;
  /** The numbers of the answers that were kept. */
  readonly kept: string[] = [];

  /** @param now - the wall time */
  constructor(session: Session, state: SnapshotState, now: number) {
    super(session, state);
    this.#now = now;
  }

  override *find(table: PostgresTable, key: PostgresKey): Steps<Row | undefined> {
    const [row] = yield* wait(this.rows(selectRecord(table, key, " FOR UPDATE")));
    return row;
  }

  override *each(table: PostgresTable, query: PostgresQuery, limit: number, visit: (row: Row) => boolean): Steps<void> {
    // A condition on a whole collection: nobody else writes to it until this write is committed.
    yield* wait(this.session.script(`LOCK TABLE ${tableName(table)} IN SHARE ROW EXCLUSIVE MODE`));
    yield* super.each(table, query, limit, visit);
  }

  *insert(table: PostgresTable, values: PostgresValues): Steps<PostgresKey | undefined> {
    const members = keyMembers(table);
    const [row] = yield* wait(this.#write(table, values.keys(), insertRecord(table, values, members)));
    return row && { members, values: row };
  }

  *update(table: PostgresTable, key: PostgresKey, { values, defaulted = [] }: Change): Steps<boolean> {
    const sql = updateRecord(table, key, values, defaulted);
    const rows = yield* wait(this.#write(table, [...values.keys(), ...defaulted], sql));
    return rows.length > 0;
  }

  *remove(table: PostgresTable, key: PostgresKey): Steps<boolean> {
    const rows = yield* wait(this.#write(table, [], deleteRecord(table, key)));
    return rows.length > 0;
  }

  *findAnswer(key: string): Steps<KeptAnswer | undefined> {
    return yield* wait(findAnswer(this.session, key, this.#now));
  }

  *keepAnswer(key: string, answer: Omit<KeptAnswer, "eventId">): Steps<void> {
    this.kept.push(yield* wait(keepAnswer(this.session, key, answer, this.#now)));
  }

  /** What fails at the commit: some foreign keys are checked only there. */
  explain(error: unknown): unknown {
    return this.#last ? brokenRule(error, this.#last.table, this.#last.written) : error;
  }

  async #write(table: PostgresTable, members: Iterable<PostgresMember>, { text, values }: Sql): Promise<Row[]> {
    const written = new Set([...members].map(({ name }) => name));
    this.#last = { table, written };
    try {
      return await this.session.query(text, values);
    } catch (error) {
      throw brokenRule(error, table, written);
    }
  }
}
