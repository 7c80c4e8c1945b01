import type { Field } from "../../protocol/index.ts";
import type { Ahead, Bookmark, Value } from "../../server/index.ts";
import type { Place } from "./broken-rule.ts";
import type { Arguments, ServedFunction } from "./function.ts";
import type { Query, RecordFilter, RowRule } from "./query.ts";
import type { Steps } from "./steps.ts";
import type { Member, RecordKey, ServedSchema, ServedTable, TableWrite } from "./table.ts";
import type { Tree, TreeQuery } from "./tree.ts";
import type { Viewer } from "./viewer.ts";

/** A record's values, one for each of its table's members. */
export type Row = readonly Value[];

/** What {@link Snapshot.measure} finds. */
export interface Measure {
  /** How many records there are, up to the limit. */
  readonly count: number;
  /** Whether each of them has values that `Item-Order` can compare in the members that the query sorts by. */
  readonly isComparable: boolean;
}

/** What decides which of a table's records a viewer is shown. */
export interface TableSources {
  /** The names of the tables that it is read from, itself among them; also of those that are not served. */
  readonly tables: readonly string[];
  /** Whether there are no others. */
  readonly isComplete: boolean;
  /** Whether one of them can't be watched, so that nobody would know when something else is to be shown. */
  readonly isUnwatched: boolean;
}

/** What records must meet to be shown to a viewer. */
export interface ViewerFilter {
  readonly filter: RecordFilter;
  /** Whether the same viewer may have been shown others before, by other claims. */
  readonly isChanging: boolean;
}

/** What a viewer may write of a table, as far as no record has to be looked at. */
export interface Permits {
  readonly writes: readonly TableWrite[];
  /** The members that a new record may be given. */
  readonly create: ReadonlySet<Member>;
  /** The members that may be changed. */
  readonly update: ReadonlySet<Member>;
}

/** The database as one transaction sees it. */
export interface Snapshot {
  /** What there is to serve to whom the transaction is for. */
  readonly schema: ServedSchema;
  /** Where the journal stands; `undefined` where there is none, and in a write, which is not in it yet. */
  readonly bookmark: Bookmark | undefined;
  /** What is seen beyond the bookmark; absent where that is nothing. */
  readonly ahead?: Ahead | undefined;
  /** The tables whose changes the journal misses, and why, in a sentence for a person. */
  readonly unwatched: ReadonlyMap<string, string>;
  /** Whether what a table shows may depend on who looks: then the journal's changes alone don't decide what is shown. */
  isPrivate(table: ServedTable): boolean;
  /** What decides what a table shows that is private. */
  sources(table: ServedTable): Steps<TableSources>;
  /**
   * What the images of a table's records must meet beside a query, for whom the transaction is for; `undefined` where that
   * is nothing. Not asked for where the table is private.
   */
  filterOf(table: ServedTable): ViewerFilter | undefined;
  /** What may be written of a table by whom the transaction is for. */
  permits(table: ServedTable): Permits;
  /**
   * The record with a key; `undefined` where there is none.
   *
   * @param rule - what it must meet to be found
   */
  find(table: ServedTable, key: RecordKey, rule?: RowRule): Steps<Row | undefined>;
  /**
   * Gives row by row of a query to `visit`, in its order, until that says false: no more is in memory than it keeps.
   *
   * @param limit - how many rows at most, whatever the query says
   * @param visit - must not use the snapshot
   */
  each(table: ServedTable, query: Query, limit: number, visit: (row: Row) => boolean): Steps<void>;
  /**
   * How much a query would give, without giving it.
   *
   * @param limit - up to how many records are counted, whatever the query says
   */
  measure(table: ServedTable, query: Query, limit: number): Steps<Measure>;
  /** How many records a query lets through, whatever its limit and offset. {@link each} has read some of them before. */
  count(table: ServedTable, query: Query): Steps<number>;
  /**
   * About how many records {@link count} would count, as the database guesses it without looking at them; `undefined` where it
   * keeps nothing of that, or where a guess would tell of records that the viewer is not shown. Absent: it never does.
   */
  estimate?(table: ServedTable, query: Query): Steps<number | undefined>;
  /**
   * The functions of a name that the viewer may call; absent where the database has none of its own.
   *
   * @throws Denied where there are others only
   */
  functions?(name: string): Steps<readonly ServedFunction[]>;
  /**
   * Calls a function; gives what it gives, each value or record as JSON.
   *
   * @param limit - how much of it at most
   * @throws BrokenRule; Refusal 400 where an argument is none of its parameter's type
   */
  call?(called: ServedFunction, given: Arguments, limit: number): Steps<readonly string[]>;
  /** As {@link find}, with what is embedded. Of the query, what is shown and embedded counts, and what embeds keep. */
  findTree(table: ServedTable, key: RecordKey, query: TreeQuery): Steps<Tree | undefined>;
  /** As {@link each}, with what is embedded, or of groups. */
  eachTree(table: ServedTable, query: TreeQuery, limit: number, visit: (tree: Tree) => boolean): Steps<void>;
  /** As {@link count}. */
  countTrees(table: ServedTable, query: TreeQuery): Steps<number>;
}

/** A snapshot as a viewer may see it. */
export type Guard = (snapshot: Snapshot, viewer: Viewer) => Snapshot;

/** Values by their members. */
export type Values = ReadonlyMap<Member, Value>;

/** What becomes of a record. */
export interface RecordChange {
  readonly values: Values;
  /** Members that get their column's default. */
  readonly defaulted?: readonly Member[];
  /** Whether values of members that hold JSON were made of what is stored, as it is shown, by a merge. */
  readonly isMerge?: boolean;
}

/** The answer to a write that had an `Idempotency-Key`. */
export interface KeptAnswer {
  /** What tells the request from others with the same key. */
  readonly digest: string;
  readonly status: number;
  readonly fields: readonly Field[];
  /** Absent where it was too large to be kept: the record at its `Content-Location`, as it was then. */
  readonly body?: string | undefined;
  /** Where the journal stood at the end of the write's transaction; absent until that is known. */
  readonly eventId?: string;
}

/** A record that was made, or one that was there already. */
export interface Placed {
  readonly key: RecordKey;
  /** Whether it was made. */
  readonly isNew: boolean;
}

/** A write as the database sees it: what it does is seen by it, and by others once it is committed. */
export interface Transaction extends Snapshot {
  /**
   * As `find`, for a record that will be changed: nobody else changes it until the end of the transaction.
   *
   * @throws Denied where the viewer may read it, and not change it
   */
  findToUpdate(table: ServedTable, key: RecordKey, rule?: RowRule): Steps<Row | undefined>;
  /**
   * As `each`, for records that will be changed or taken away, each by its key.
   *
   * @throws Denied where the viewer may read one of them, and not change it
   */
  eachToWrite(
    table: ServedTable,
    query: Query,
    action: "update" | "destroy",
    limit: number,
    visit: (row: Row) => boolean,
  ): Steps<void>;
  /**
   * Makes a record; gives its key, `undefined` where the database ignored it. Nothing is read of a table without a key.
   *
   * @throws BrokenRule; Refusal 422 where a value can't be stored
   */
  insert(table: ServedTable, values: Values): Steps<RecordKey | undefined>;
  /**
   * Makes a record of a table without a key, to be shown; gives it as it was made, `undefined` for a row that can't be told.
   * `undefined` as {@link insert}.
   *
   * @throws as {@link insert}; Denied where the viewer may not read what it makes
   */
  insertKeyless(table: ServedTable, values: Values): Steps<{ readonly row: Row | undefined } | undefined>;
  /**
   * Makes a record unless one is there with the same values in some members, and gives its key; else that one's. `undefined`
   * where the database ignored it.
   *
   * @param unique - the members; no two records have the same values in all of them
   * @throws BrokenRule; Refusal 400 where the database does not keep those members unique, 422 where a value can't be stored
   */
  insertUnless(table: ServedTable, values: Values, unique: readonly Member[]): Steps<Placed | undefined>;
  /**
   * Changes a record; `false` where the database ignored that.
   *
   * @throws BrokenRule; Refusal 422 where a value can't be stored, or where a merge would lose what is not shown
   */
  update(table: ServedTable, key: RecordKey, change: RecordChange): Steps<boolean>;
  /**
   * Changes a record that was not read, unless it has those values, and gives it as it is then; `undefined` where there is
   * none. Absent, or no steps, where a record is read first. It may be that the whole write is run again, and no steps given then.
   */
  updateUnread?(table: ServedTable, key: RecordKey, values: Values): Steps<Row | undefined> | undefined;
  /**
   * Takes a record away; `false` where the database kept it, or it does not meet the rule.
   *
   * @param seen - the record as it was read
   * @throws BrokenRule; Denied where the viewer may read it, and not take it away
   */
  remove(table: ServedTable, key: RecordKey, seen: Row, rule?: RowRule): Steps<boolean>;
  /** Says which the writes are that follow: a rule that is checked at the end of the transaction tells it. */
  about(place: Place): void;
  /** The answer that is kept under an `Idempotency-Key`; `undefined` where there is none, or only one that is too old. */
  findAnswer(key: string): Steps<KeptAnswer | undefined>;
  /**
   * Keeps an answer with the write, and drops some that are too old or too many. Where the journal stands at the end of the
   * transaction is added once that is known.
   */
  keepAnswer(key: string, answer: Omit<KeptAnswer, "eventId">): Steps<void>;
}
