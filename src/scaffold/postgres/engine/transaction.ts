import { Denied } from "../../engine/denied.ts";
import type { KeptAnswer, Transaction } from "../../engine/snapshot.ts";
import { type Steps, wait } from "../../engine/steps.ts";
import { keyMembers } from "../../engine/table.ts";
import type { Row } from "../driver.ts";
import { findAnswer, keepAnswer } from "./answers.ts";
import { Overtaken } from "./failure.ts";
import { brokenRule } from "./rule.ts";
import type { PostgresKey, PostgresMember, PostgresQuery, PostgresTable, PostgresValues } from "./served.ts";
import { PostgresSnapshot, type SnapshotState } from "./snapshot.ts";
import { deleteRecord, insertRecord, type Sql, selectRecord, tableName, updateRecord } from "./sql.ts";
import type { ViewerSession } from "./viewer-session.ts";

interface Change {
  readonly values: PostgresValues;
  readonly defaulted?: readonly PostgresMember[];
}

/** A write, in a savepoint of its own. What it has read stays as it is until the end of the transaction. */
export class PostgresTransaction extends PostgresSnapshot implements Transaction {
  readonly #now: number;
  /** What was written last: rules that are checked late are about it. */
  #last: { readonly table: PostgresTable; readonly written: ReadonlySet<string> } | undefined;
  /** What was read last. */
  #found: { readonly key: PostgresKey; readonly row: Row } | undefined;
  /** The numbers of the answers that were kept. */
  readonly kept: string[] = [];

  /** @param now - the wall time */
  constructor(session: ViewerSession, state: SnapshotState, now: number) {
    super(session, state);
    this.#now = now;
  }

  override *find(table: PostgresTable, key: PostgresKey): Steps<Row | undefined> {
    const row = yield* super.find(table, key);
    this.#found = row && { key, row };
    return row;
  }

  *findToUpdate(table: PostgresTable, key: PostgresKey): Steps<Row | undefined> {
    const [row] = yield* wait(this.rows(selectRecord(table, key, " FOR UPDATE")));
    if (row || this.viewer.role === undefined) return row;
    // A policy may let it be read, and not changed.
    if (yield* super.find(table, key)) throw new Denied();
    return undefined;
  }

  override *each(table: PostgresTable, query: PostgresQuery, limit: number, visit: (row: Row) => boolean): Steps<void> {
    // A condition on a whole collection: nobody else writes to it until this write is committed.
    yield* wait(this.session.script(`LOCK TABLE ${tableName(table)} IN SHARE ROW EXCLUSIVE MODE`));
    yield* super.each(table, query, limit, visit);
  }

  *insert(table: PostgresTable, values: PostgresValues): Steps<PostgresKey | undefined> {
    const members = keyMembers(table);
    const [row] = yield* wait(this.#write(table, values.keys(), insertRecord(table, values, members)));
    return row && { members, values: row.slice(0, members.length) };
  }

  *update(table: PostgresTable, key: PostgresKey, { values, defaulted = [] }: Change): Steps<boolean> {
    const sql = updateRecord(table, key, values, defaulted);
    const rows = yield* wait(this.#write(table, [...values.keys(), ...defaulted], sql));
    return rows.length > 0;
  }

  *remove(table: PostgresTable, key: PostgresKey): Steps<boolean> {
    const seen = this.#found?.key === key ? this.#found.row : undefined;
    const [row] = yield* wait(this.#write(table, [], deleteRecord(table, key)));
    // It is not locked by reading: who may take it away need not be allowed to change it.
    if (row && seen?.some((value, at) => value !== row[at])) throw new Overtaken();
    // Another one has taken it away meanwhile, or a trigger did in its own way.
    if (row || !(yield* super.find(table, key))) return true;
    if (yield* this.#hasPolicies(table)) throw new Denied();
    return false;
  }

  /** Whether policies decide which rows the viewer reads and writes. */
  *#hasPolicies(table: PostgresTable): Steps<boolean> {
    const sql = "SELECT row_security_active($1::regclass)";
    const [row] = yield* wait(this.session.query(sql, [tableName(table)]));
    return row?.[0] === "t";
  }

  *findAnswer(key: string): Steps<KeptAnswer | undefined> {
    return yield* wait(findAnswer(this.session.own, key, this.#now));
  }

  *keepAnswer(key: string, answer: Omit<KeptAnswer, "eventId">): Steps<void> {
    this.kept.push(yield* wait(keepAnswer(this.session.own, key, answer, this.#now)));
  }

  /**
   * Has everything happen now, as the viewer, that would wait for the end of the transaction, which is not the viewer's own.
   *
   * @param deferred - the constraints that wait for it, as SQL has their names
   */
  async finish(deferred: string): Promise<void> {
    if (this.viewer.role === undefined || deferred === "") return;
    try {
      await this.session.script("SET CONSTRAINTS ALL IMMEDIATE");
    } catch (error) {
      throw this.explain(error);
    }
    await this.session.own.script(`SET CONSTRAINTS ${deferred} DEFERRED`);
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
