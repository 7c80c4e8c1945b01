import { BrokenRule, type Place } from "../../engine/broken-rule.ts";
import { Denied } from "../../engine/denied.ts";
import type { KeptAnswer, Placed, Transaction } from "../../engine/snapshot.ts";
import { type Steps, wait } from "../../engine/steps.ts";
import { keyMembers, keyOf } from "../../engine/table.ts";
import type { Tree, TreeQuery } from "../../engine/tree.ts";
import { Refusal } from "../../rest/refusal.ts";
import type { Row, Text } from "../driver.ts";
import { findAnswer, keepAnswer } from "./answers.ts";
import type { PostgresArguments } from "./call-function.ts";
import { conflictTrouble, failedOf, MustBeAlone, MustRead, Overtaken } from "./failure.ts";
import type { PostgresFunction } from "./functions.ts";
import { brokenRule, enumLabels, type GivenValues, isTooLong, tooLongValue } from "./rule.ts";
import type {
  PostgresKey,
  PostgresMember,
  PostgresQuery,
  PostgresRule,
  PostgresTable,
  PostgresValues,
} from "./served.ts";
import { PostgresSnapshot, type SnapshotState } from "./snapshot.ts";
import {
  deleteRecord,
  insertRecord,
  keepingOf,
  type Sql,
  selectAlike,
  selectRecord,
  selectRecords,
  updateOther,
  updateRecord,
} from "./sql.ts";
import { tableName } from "./table-name.ts";
import type { ViewerSession } from "./viewer-session.ts";
import { WrittenRecords } from "./written-records.ts";

interface Change {
  readonly values: PostgresValues;
  readonly defaulted?: readonly PostgresMember[];
}

/** What keeps others from changing rows that are read to be changed. */
function lockOf({ isUnlockable }: PostgresTable): string {
  return isUnlockable ? "" : " FOR UPDATE";
}

/** Whether what an INSERT gives is what a SELECT of the record would, to the connection's own role. */
function isShownAsWritten({ key, mayChangeAfter, hasPolicies, isView }: PostgresTable): boolean {
  return key.length > 0 && !mayChangeAfter && !hasPolicies && !isView;
}

/** How a write is carried out. */
export interface WriteOptions {
  /** The wall time. */
  readonly now: number;
  /** Whether each record is read before it is changed. Default false */
  readonly readsFirst?: boolean;
  /** Whether no other write is in the transaction. */
  readonly isAlone: boolean;
}

/** A write, in a savepoint of its own. What it has read stays as it is until the end of the transaction. */
export class PostgresTransaction extends PostgresSnapshot implements Transaction {
  readonly #now: number;
  readonly #written: WrittenRecords = new WrittenRecords();
  #place: Place = {};
  /** A record that was asked for with its change, until something else is asked. */
  #asked: { readonly key: PostgresKey; readonly rows: Promise<Row[]> } | undefined;
  /** Whether that is worth its while: not where many records are changed before they are asked for. */
  #asksAhead = true;
  /** The numbers of the answers that were kept. */
  readonly kept: string[] = [];
  /** Whether it has one write only to do, as far as it has been told, and no answer to keep. */
  #isSimple = true;
  #hasAskedAll = false;
  #writtenLength = 0;

  #mustBeAlone = false;

  readonly #readsFirst: boolean;
  readonly #isAlone: boolean;

  constructor(session: ViewerSession, state: SnapshotState, { now, readsFirst = false, isAlone }: WriteOptions) {
    super(session, state);
    this.#now = now;
    this.#readsFirst = readsFirst;
    this.#isAlone = isAlone;
  }

  override *call(called: PostgresFunction, given: PostgresArguments, limit: number): Steps<readonly string[]> {
    this.#requireAlone();
    return yield* super.call(called, given, limit);
  }

  /** Whether all statements of the write have been given, unless something goes wrong with one of them. */
  get hasAskedAll(): boolean {
    return this.#hasAskedAll;
  }

  /** How many characters of values it has given to the database. */
  get writtenLength(): number {
    return this.#writtenLength;
  }

  /** Whether it has been found out that it must share its transaction with no other. */
  get mustBeAlone(): boolean {
    return this.#mustBeAlone;
  }

  /** What triggers and functions set, make or count for their transaction is of one request, as where each has its own. */
  #requireAlone(): void {
    this.#mustBeAlone = !this.#isAlone;
    if (this.#mustBeAlone) throw new MustBeAlone();
  }

  #askedAll(): void {
    this.#hasAskedAll = this.#isSimple && this.viewer.role === undefined;
  }

  override *find(table: PostgresTable, key: PostgresKey, rule?: PostgresRule): Steps<Row | undefined> {
    // What was asked without a rule may be what that does not let through.
    const asked = this.#asked?.key === key && rule === undefined ? this.#asked.rows : undefined;
    this.#asked = undefined;
    const [known] = asked ? yield* wait(asked) : [];
    return known ?? (yield* super.find(table, key, rule));
  }

  *findToUpdate(table: PostgresTable, key: PostgresKey, rule?: PostgresRule): Steps<Row | undefined> {
    if (rule) this.#asksAhead = false;
    const sql = selectRecord(table, key, { rule, lock: lockOf(table) });
    const [row] = yield* wait(this.rows(sql, keepingOf(table), rule));
    if (row || this.viewer.role === undefined) return row;
    // A policy may let it be read, and not changed.
    if (yield* super.find(table, key, rule)) throw new Denied();
    return undefined;
  }

  override *each(table: PostgresTable, query: PostgresQuery, limit: number, visit: (row: Row) => boolean): Steps<void> {
    // A condition on a whole collection: nobody else writes to it until this write is committed.
    yield* wait(this.#lock(table));
    yield* super.each(table, query, limit, visit);
  }

  override *eachTree(
    table: PostgresTable,
    query: TreeQuery,
    limit: number,
    visit: (tree: Tree) => boolean,
  ): Steps<void> {
    yield* wait(this.#lock(table));
    yield* super.eachTree(table, query, limit, visit);
  }

  *eachToWrite(
    table: PostgresTable,
    query: PostgresQuery,
    action: "update" | "destroy",
    limit: number,
    visit: (row: Row) => boolean,
  ): Steps<void> {
    // Who may take records away need not be allowed to change, and so to lock them: `remove` compares them instead.
    if (action === "destroy") return yield* super.each(table, query, limit, visit);
    const seen: Row[] = [];
    const note = (row: Row): boolean => seen.push(row) > 0;
    const mayDiffer = this.viewer.role !== undefined;
    if (mayDiffer) yield* super.each(table, query, limit, note);
    const locked: string[] = [];
    const take = (row: Row): boolean => {
      if (mayDiffer) locked.push(JSON.stringify(keyOf(table, row).values));
      return visit(row);
    };
    yield* this.walk(table, query, selectRecords(table, query, limit, lockOf(table)), take);
    const names = new Set(locked);
    const left = seen.find((row) => !names.has(JSON.stringify(keyOf(table, row).values)));
    if (left) yield* this.#explainUnlocked(table, left);
  }

  *insert(table: PostgresTable, values: PostgresValues): Steps<PostgresKey | undefined> {
    const members = keyMembers(table);
    if (this.viewer.role === undefined && isShownAsWritten(table)) return yield* this.#insertShown(table, values);
    const [row] = yield* wait(this.#write(table, values.keys(), insertRecord(table, values, members)));
    return row && { members, values: row.slice(0, members.length) };
  }

  /** What is asked next is mostly the record, which is what was written. */
  *#insertShown(table: PostgresTable, values: PostgresValues): Steps<PostgresKey | undefined> {
    const writing = this.#write(table, values.keys(), insertRecord(table, values, table.members));
    this.#askedAll();
    const [row] = yield* wait(writing);
    if (!row) return undefined;
    const key = keyOf(table, row) as PostgresKey;
    this.#asked = { key, rows: Promise.resolve([row]) };
    return key;
  }

  *insertKeyless(table: PostgresTable, values: PostgresValues): Steps<{ readonly row: Row } | undefined> {
    const [row] = yield* wait(this.#write(table, values.keys(), insertRecord(table, values, table.members)));
    return row && { row };
  }

  *insertUnless(
    table: PostgresTable,
    values: PostgresValues,
    unique: readonly PostgresMember[],
  ): Steps<(Placed & { readonly key: PostgresKey }) | undefined> {
    const members = keyMembers(table);
    const alike = new Map(unique.map((member) => [member, values.get(member) ?? null]));
    // Looked for first: what is there already need not be given again, as a new record would need it.
    const [known] = yield* wait(this.#alike(table, alike));
    const sql = insertRecord(table, values, members, unique);
    if (known) {
      // Whether it is the only one, the plan of an insert tells.
      yield* wait(this.#insertUnless(table, values, unique, { ...sql, text: `EXPLAIN ${sql.text}` }));
      return { key: { members, values: known }, isNew: false };
    }
    const [made] = yield* wait(this.#insertUnless(table, values, unique, sql));
    if (made) return { key: { members, values: made.slice(0, members.length) }, isNew: true };
    // Another one has made it meanwhile.
    const [found] = yield* wait(this.#alike(table, alike));
    return found && { key: { members, values: found }, isNew: false };
  }

  *update(table: PostgresTable, key: PostgresKey, { values, defaulted = [] }: Change): Steps<boolean> {
    const sql = updateRecord(table, key, values, defaulted);
    const writing = this.#write(table, [...values.keys(), ...defaulted], sql);
    // How it is then is mostly asked next: that goes in the same message.
    if (this.#asksAhead) {
      const rows = this.rows(selectRecord(table, key), keepingOf(table));
      rows.catch(() => undefined);
      this.#asked = { key, rows };
    }
    return (yield* wait(writing)).length > 0;
  }

  /**
   * One member of an own table's record, of a type whose equal values are the same. More of them may be so already in part,
   * and a trigger for one of these would be none of the others'.
   */
  updateUnread(table: PostgresTable, key: PostgresKey, values: PostgresValues): Steps<Row | undefined> | undefined {
    const [only, ...others] = values;
    const isSimple = !table.isView && !table.hasPolicies && !table.isUnlockable && this.viewer.role === undefined;
    if (this.#readsFirst || !isSimple || !only || others.length > 0) return undefined;
    const [member, value] = only;
    return member.type.isSameWhereEqual && !member.inKey ? this.#updateOne(table, key, member, value) : undefined;
  }

  *#updateOne(
    table: PostgresTable,
    key: PostgresKey,
    member: PostgresMember,
    value: Text,
  ): Generator<PromiseLike<unknown>, Row | undefined, unknown> {
    const writing = this.#write(table, [member], updateOther(table, key, member, value));
    const reading = this.rows(selectRecord(table, key), keepingOf(table));
    reading.catch(() => undefined);
    this.#askedAll();
    try {
      const changed = yield* wait(writing);
      const [row] = yield* wait(reading);
      // It was ignored, or is gone by now: what is to be said then depends on what there was.
      const isSo = row?.[table.members.indexOf(member)] === value;
      if (changed.length === 0 ? row && !isSo : !row) throw new MustRead();
      return row;
    } catch (error) {
      // What is wrong with it is said of a record that is there.
      throw error instanceof BrokenRule || error instanceof Refusal ? new MustRead() : error;
    }
  }

  *remove(table: PostgresTable, key: PostgresKey, seen: Row, rule?: PostgresRule): Steps<boolean> {
    const [row] = yield* wait(this.#write(table, [], deleteRecord(table, key, rule)));
    // It is not locked by reading: who may take it away need not be allowed to change it.
    if (row && seen.some((value, at) => value !== row[at])) throw new Overtaken();
    // Another one has taken it away meanwhile, or a trigger did in its own way.
    if (row || !(yield* super.find(table, key))) return true;
    if (yield* this.#hasPolicies(table)) throw new Denied();
    return false;
  }

  /**
   * Keeps others from writing to a table. The connection's own role mostly may do that, also where the viewer may add records
   * and not change any.
   */
  async #lock(table: PostgresTable): Promise<void> {
    const name = tableName(table);
    const sql = "SELECT has_table_privilege($1, 'UPDATE, DELETE, TRUNCATE')";
    const [row] = await this.session.own.query(sql, [name]);
    const session = row?.[0] === "t" ? this.session.own : this.session;
    await session.script(`LOCK TABLE ${name} IN SHARE ROW EXCLUSIVE MODE`);
  }

  /** What a query has shown and could not be locked: a policy lets it be read only, or it is another one by now. */
  *#explainUnlocked(table: PostgresTable, seen: Row): Steps<never> {
    const row = yield* super.find(table, keyOf(table, seen) as PostgresKey);
    if (row?.every((value, at) => value === seen[at])) throw new Denied();
    throw new Overtaken();
  }

  /** @throws BrokenRule where a value is none of its column's type */
  async #alike(table: PostgresTable, asked: PostgresValues): Promise<Row[]> {
    const { text, values } = selectAlike(table, asked);
    try {
      return await this.session.query(text, values);
    } catch (error) {
      throw await this.#explained(error, table, new Map([...asked].map(([{ name }, value]) => [name, value])));
    }
  }

  async #insertUnless(
    table: PostgresTable,
    values: PostgresValues,
    unique: readonly PostgresMember[],
    sql: Sql,
  ): Promise<Row[]> {
    try {
      return await this.#write(table, values.keys(), sql);
    } catch (error) {
      throw conflictTrouble(error, unique);
    }
  }

  /** Whether policies decide which rows the viewer reads and writes. */
  *#hasPolicies(table: PostgresTable): Steps<boolean> {
    const sql = "SELECT row_security_active($1::regclass)";
    const [row] = yield* wait(this.session.query(sql, [tableName(table)]));
    return row?.[0] === "t";
  }

  *findAnswer(key: string): Steps<KeptAnswer | undefined> {
    this.#isSimple = false;
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
    return this.#written.explain(error);
  }

  about(place: Place): void {
    this.#isSimple = false;
    this.#place = { ...this.#place, ...place };
  }

  async #write(table: PostgresTable, members: Iterable<PostgresMember>, { text, values }: Sql): Promise<Row[]> {
    if (table.actsOnWrite) this.#requireAlone();
    const names = [...members].map(({ name }) => name);
    for (const value of values) this.#writtenLength += value?.length ?? 0;
    // The values that are given come first.
    const given = new Map(names.map((name, at) => [name, values[at] ?? null]));
    this.#written.add({ table, values: given, place: this.#place });
    if (this.#asked) this.#asksAhead = false;
    this.#asked = undefined;
    this.session.introduce();
    try {
      return await this.session.query(text, values, keepingOf(table));
    } catch (error) {
      throw await this.#explained(error, table, given);
    }
  }

  /**
   * An error of a write as the rule that was broken. What an enum takes, and which value is too long, is asked in the
   * transaction, which is lost.
   */
  async #explained(error: unknown, table: PostgresTable, given: GivenValues): Promise<unknown> {
    const rule = brokenRule(error, table, given);
    if (!(rule instanceof BrokenRule)) return rule;
    const { own } = this.session;
    if (isTooLong(error, rule)) {
      await this.session.undo();
      const found = await tooLongValue(own, table, given);
      return found ? rule.of(found.name, found.text).taking([found.takes]) : rule;
    }
    const member = table.members.find(({ name }) => name === rule.columns[0]);
    if (!member || failedOf(error)?.routine !== "enum_in") return rule;
    await this.session.undo();
    return rule.taking(await enumLabels(own, table, member.column));
  }
}
