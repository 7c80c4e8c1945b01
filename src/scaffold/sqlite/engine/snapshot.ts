import type { Bookmark } from "../../../server/index.ts";
import { BrokenRule, type Place } from "../../engine/broken-rule.ts";
import type {
  KeptAnswer,
  Measure,
  Permits,
  Placed,
  Snapshot,
  TableSources,
  Transaction,
} from "../../engine/snapshot.ts";
import { done, type Steps } from "../../engine/steps.ts";
import { keyMembers, tableWrites, writtenMembers } from "../../engine/table.ts";
import type { Tree } from "../../engine/tree.ts";
import { FieldErrors, listNames, notUnique, Refusal } from "../../rest/refusal.ts";
import { isBrokenText, mayBeBroken, textOfBytes } from "../broken-text.ts";
import type { Connection } from "../driver.ts";
import { findAnswer, keepAnswer, markAnswer } from "../journal.ts";
import type { SqlValue } from "../schema.ts";
import { hasNoTrigger, hasNoUniqueRule } from "../sqlite-error.ts";
import type { ValueAt } from "./broken-keys.ts";
import type { Sql } from "./condition-sql.ts";
import { brokenRule, unknownRule } from "./rule.ts";
import { searching } from "./search-trouble.ts";
import type {
  SqliteKey,
  SqliteMember,
  SqliteQuery,
  SqliteRule,
  SqliteSchema,
  SqliteTable,
  SqliteValues,
} from "./served.ts";
import {
  countAll,
  countSome,
  deleteRecord,
  exactKey,
  exactRow,
  insertRecord,
  selectAlike,
  selectBytes,
  selectRecord,
  selectRecords,
  selectTexts,
  updateRecord,
} from "./sql.ts";
import { countTrees, type SqliteTreeQuery, selectTreeOf, selectTrees } from "./tree-sql.ts";
import { readTrees } from "./tree-text.ts";

/** Where a connection's transaction stands. */
export interface SnapshotState {
  readonly schema: SqliteSchema;
  readonly bookmark: Bookmark | undefined;
  readonly unwatched: ReadonlyMap<string, string>;
  /** What a table is called, by its own name. */
  readonly nameOf: (own: string) => string;
}

/** A selected row with those that are embedded in it. Changes the row in place. */
function treeIn(table: SqliteTable, { grouping, embeds }: SqliteTreeQuery, row: SqlValue[]): Tree {
  if (grouping) return { row, embedded: [] };
  const embedded = row.splice(row.length - embeds.length);
  return { row: exactRow(table, row), embedded: embeds.map((embed, at) => readTrees(embedded[at], embed)) };
}

function tooBigSum(): Refusal {
  return new Refusal(422, "A sum has no place in the 64 bits of SQLite's integers.");
}

/** The database as a connection's transaction sees it. */
export class SqliteSnapshot implements Snapshot {
  readonly schema: SqliteSchema;
  readonly bookmark: Bookmark | undefined;
  readonly unwatched: ReadonlyMap<string, string>;
  readonly connection: Connection;
  readonly #nameOf: SnapshotState["nameOf"];

  constructor(connection: Connection, { schema, bookmark, unwatched, nameOf }: SnapshotState) {
    this.connection = connection;
    this.schema = schema;
    this.bookmark = bookmark;
    this.unwatched = unwatched;
    this.#nameOf = nameOf;
  }

  /** Everybody is shown the same; what a view shows, the changes of other tables decide. */
  isPrivate({ isView = false }: SqliteTable): boolean {
    return isView;
  }

  sources({ name, stored }: SqliteTable): Steps<TableSources> {
    const { tables, isUnwatched } = stored.view?.sources ?? { tables: [], isUnwatched: false };
    const all = [name, ...tables.map(this.#nameOf)];
    return done({
      tables: all,
      isComplete: true,
      isUnwatched: isUnwatched || all.some((one) => this.unwatched.has(one)),
    });
  }

  filterOf(): undefined {
    return undefined;
  }

  permits(table: SqliteTable): Permits {
    const all = new Set(writtenMembers(table));
    return { writes: table.writes ?? tableWrites, create: all, update: all };
  }

  find(table: SqliteTable, key: SqliteKey, rule?: SqliteRule): Steps<SqlValue[] | undefined> {
    return done(this.row(table, key, rule));
  }

  each(table: SqliteTable, query: SqliteQuery, limit: number, visit: (row: SqlValue[]) => boolean): Steps<void> {
    const { text, values } = selectRecords(table, query, limit);
    const { brake } = this.connection;
    const take = (row: SqlValue[]): boolean => {
      brake.goOn();
      return visit(exactRow(table, row));
    };
    return done(searching(query, () => this.connection.prepare(text).each(take, ...values)));
  }

  measure(table: SqliteTable, query: SqliteQuery, limit: number): Steps<Measure> {
    const [counts = []] = searching(query, () => this.rows(countSome(table, query, limit)));
    const [count = 0, placeless = 0] = counts.map(Number);
    return done({ count, isComparable: placeless === 0 && !this.#sortsByBroken(table, query, limit) });
  }

  count(table: SqliteTable, query: SqliteQuery): Steps<number> {
    const [[count = 0] = []] = searching(query, () => this.rows(countAll(table, query)));
    return done(Number(count));
  }

  findTree(table: SqliteTable, key: SqliteKey, query: SqliteTreeQuery): Steps<Tree | undefined> {
    const [row] = searching(query, () => this.rows(selectTreeOf(table, key, query)));
    return done(row && treeIn(table, query, row));
  }

  eachTree(table: SqliteTable, query: SqliteTreeQuery, limit: number, visit: (tree: Tree) => boolean): Steps<void> {
    const { text, values } = selectTrees(table, query, limit);
    const { brake } = this.connection;
    const take = (row: SqlValue[]): boolean => {
      brake.goOn();
      return visit(treeIn(table, query, row));
    };
    try {
      return done(searching(query, () => this.connection.prepare(text).each(take, ...values)));
    } catch (error) {
      if (error instanceof Error && error.message === "integer overflow") throw tooBigSum();
      throw error;
    }
  }

  countTrees(table: SqliteTable, query: SqliteTreeQuery): Steps<number> {
    const [[count = 0] = []] = searching(query, () => this.rows(countTrees(table, query)));
    return done(Number(count));
  }

  /** The record with a key. */
  protected row(table: SqliteTable, key: SqliteKey, rule?: SqliteRule): SqlValue[] | undefined {
    const [row] = this.rows(selectRecord(table, key, rule));
    return row && exactRow(table, row);
  }

  protected rows({ text, values }: Sql): SqlValue[][] {
    return this.connection.prepare(text).all(...values);
  }

  /** Whether a query sorts by a text that may not be UTF-8. */
  #sortsByBroken(table: SqliteTable, query: SqliteQuery, limit: number): boolean {
    const sql = selectTexts(table, query, limit);
    let isBroken = false;
    const look = (row: SqlValue[]): boolean => {
      isBroken = row.some(mayBeBroken);
      return !isBroken;
    };
    if (sql) this.connection.prepare(sql.text).each(look, ...sql.values);
    return isBroken;
  }
}

interface Change {
  readonly values: SqliteValues;
  readonly defaulted?: readonly SqliteMember[];
  readonly isMerge?: boolean;
}

/** The 422 for a change of a view's columns that no trigger of it takes. */
function notTaken(values: SqliteValues): Refusal {
  const names = listNames([...values.keys()].map(({ name }) => name));
  return new Refusal(422, `No INSTEAD OF trigger of this view takes a change of just ${names}.`);
}

const notWhole = "What is stored has a text that is not UTF-8, which a merge would lose; PUT replaces all of it.";

/** A record that was written. */
interface Written {
  readonly table: SqliteTable;
  readonly key: SqliteKey;
  readonly values: SqliteValues;
  readonly place: Place;
}

/** A write, in a savepoint of its own. */
export class SqliteTransaction extends SqliteSnapshot implements Transaction {
  readonly #now: number;
  readonly #kept: number[] = [];
  /** What was written, in its order. */
  readonly #written: Written[] = [];
  #place: Place = {};

  /** @param now - the wall time */
  constructor(connection: Connection, state: SnapshotState, now: number) {
    super(connection, state);
    this.#now = now;
  }

  /** Nobody else writes meanwhile. */
  findToUpdate(table: SqliteTable, key: SqliteKey, rule?: SqliteRule): Steps<SqlValue[] | undefined> {
    return this.find(table, key, rule);
  }

  eachToWrite(
    table: SqliteTable,
    query: SqliteQuery,
    _action: "update" | "destroy",
    limit: number,
    visit: (row: SqlValue[]) => boolean,
  ): Steps<void> {
    return this.each(table, query, limit, visit);
  }

  insert(table: SqliteTable, values: SqliteValues): Steps<SqliteKey | undefined> {
    return done(this.#insert(table, values));
  }

  /** Only views have no key, and what their triggers made of a row nobody can tell. */
  insertKeyless(table: SqliteTable, values: SqliteValues): Steps<{ readonly row: undefined } | undefined> {
    return done(this.#insert(table, values) && { row: undefined });
  }

  insertUnless(
    table: SqliteTable,
    values: SqliteValues,
    unique: readonly SqliteMember[],
  ): Steps<(Placed & { readonly key: SqliteKey }) | undefined> {
    this.#prepareInsert(table, values, unique);
    // Looked for first: what is there already need not be given again, as a new record would need it.
    const wanted = new Map(unique.map((member) => [member, values.get(member) ?? null]));
    const [identity] = this.rows(selectAlike(table, wanted));
    if (identity) return done({ key: this.#keyIn(table, identity), isNew: false });
    const key = this.#insert(table, values, unique);
    return done(key && { key, isNew: true });
  }

  update(table: SqliteTable, key: SqliteKey, { values, defaulted, isMerge }: Change): Steps<boolean> {
    if (isMerge) this.#requireWhole(table, key, values);
    const sql = updateRecord(table, key, values, defaulted);
    const count = this.#write(table, values, key, () => this.#run(sql));
    this.#note(table, key, values);
    return done(count > 0 || table.isView === true);
  }

  remove(table: SqliteTable, key: SqliteKey, _seen: SqlValue[], rule?: SqliteRule): Steps<boolean> {
    const sql = deleteRecord(table, key, rule);
    return done(this.#write(table, new Map(), undefined, () => this.#run(sql)) > 0 || this.#isGone(table, key));
  }

  findAnswer(key: string): Steps<KeptAnswer | undefined> {
    return done(findAnswer(this.connection, key, this.#now));
  }

  keepAnswer(key: string, answer: Omit<KeptAnswer, "eventId">): Steps<void> {
    this.#kept.push(keepAnswer(this.connection, key, answer, this.#now));
    return done(undefined);
  }

  /** At the end of the transaction: adds to what was kept the position that all its writes are answered with. */
  seal(bookmark: Bookmark | undefined): void {
    if (!bookmark) return;
    for (const id of this.#kept) markAnswer(this.connection, id, bookmark.eventId);
  }

  /** Says more of what fails at the commit, while all that was done stands: some foreign keys are checked only there. */
  explain(error: unknown): unknown {
    for (const one of this.#written) {
      const rule = this.#explainOne(error, one);
      if (rule instanceof BrokenRule && rule.columns.length > 0) return rule.at(one.place);
    }
    const last = this.#written.at(-1);
    return (last && this.#explainOne(error, last)) ?? unknownRule(error);
  }

  about(place: Place): void {
    this.#place = { ...this.#place, ...place };
  }

  /** What fails at the commit, as far as it is a record's own; `undefined` where that is gone. */
  #explainOne(error: unknown, { table, key, values }: Written): unknown {
    const row = this.row(table, key);
    if (!row) return undefined;
    const written = new Set([...values.keys()].map((member) => member.column));
    const valueAt: ValueAt = (column) => (written.has(column) ? row[placeOf(table, column)] : undefined);
    return brokenRule(this.connection, error, { table, valueAt });
  }

  #note(table: SqliteTable, key: SqliteKey, values: SqliteValues): void {
    if (!table.isView) this.#written.push({ table, key, values, place: this.#place });
  }

  #keyIn(table: SqliteTable, identity: SqlValue[]): SqliteKey {
    return { members: keyMembers(table), values: exactKey(table, identity) };
  }

  #insert(table: SqliteTable, values: SqliteValues, unique: readonly SqliteMember[] = []): SqliteKey | undefined {
    if ([...values.values()].some(isBrokenText)) throw new Refusal(422, "No text is made here that is not UTF-8.");
    const sql = insertRecord(table, values, unique);
    const [identity] = this.#write(table, values, undefined, () => this.rows(sql));
    if (!identity) return undefined;
    const key = this.#keyIn(table, identity);
    this.#note(table, key, values);
    return key;
  }

  /** @throws Refusal 400 where the database does not keep the members unique */
  #prepareInsert(table: SqliteTable, values: SqliteValues, unique: readonly SqliteMember[]): void {
    // Of what triggers do with a row of a view, SQLite knows nothing.
    if (table.isView) throw notUnique(unique);
    try {
      this.connection.prepare(insertRecord(table, values, unique).text);
    } catch (error) {
      throw hasNoUniqueRule(error) ? notUnique(unique) : error;
    }
  }

  /** Whether a record of a view is not there any more: SQLite does not count what its triggers do. */
  #isGone(table: SqliteTable, key: SqliteKey): boolean {
    return table.isView === true && this.row(table, key) === undefined;
  }

  #run({ text, values }: Sql): number {
    return this.connection.prepare(text).run(...values);
  }

  /** @param key - of the record that is there already */
  #write<Result>(
    table: SqliteTable,
    values: SqliteValues,
    key: SqliteKey | undefined,
    statement: () => Result,
  ): Result {
    this.connection.brake.goOn();
    try {
      return statement();
    } catch (error) {
      if (table.isView && hasNoTrigger(error)) throw notTaken(values);
      const valueAt: ValueAt = (column) => {
        const at = placeOf(table, column);
        const member = table.members[at];
        if (member && values.has(member)) return values.get(member);
        return key && this.row(table, key)?.[at];
      };
      throw brokenRule(this.connection, error, { table, valueAt });
    }
  }

  /**
   * A merge keeps members of what is stored: as they are shown, and a text that is not UTF-8 is not shown as it is.
   *
   * @throws Refusal 422 where such a one would be written as it is shown
   */
  #requireWhole(table: SqliteTable, key: SqliteKey, values: SqliteValues): void {
    const errors = new FieldErrors();
    for (const [member, value] of values) {
      if (!member.type.holdsJson || !mayBeBroken(value)) continue;
      // What the patch itself brings may have such a sign, but not where what is stored has none.
      const bytes = this.rows(selectBytes(table, key, member))[0]?.[0];
      if (bytes instanceof Uint8Array && isBrokenText(textOfBytes(bytes))) errors.add(member.name, notWhole);
    }
    errors.refuse();
  }
}

function placeOf({ members }: SqliteTable, column: string): number {
  return members.findIndex((member) => member.column === column);
}
