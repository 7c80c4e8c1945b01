import { conditionsOf } from "../../../filter/index.ts";
import type { Ahead, Bookmark } from "../../../server/index.ts";
import { Denied } from "../../engine/denied.ts";
import type { Measure, Permits, Snapshot, TableSources } from "../../engine/snapshot.ts";
import { type Steps, wait } from "../../engine/steps.ts";
import type { ServedTable } from "../../engine/table.ts";
import { embeddedTables, type Tree, type TreeQuery } from "../../engine/tree.ts";
import type { Viewer } from "../../engine/viewer.ts";
import { unreadable } from "../../rest/record-filter.ts";
import { Refusal } from "../../rest/refusal.ts";
import type { Keeping, Row } from "../driver.ts";
import { callFunction, type PostgresArguments } from "./call-function.ts";
import { filterOperands } from "./condition-sql.ts";
import {
  failedOf,
  incomparablePlace,
  isIncomparable,
  isUnreadable,
  isUnreadableSearch,
  lacksItemOrder,
  lacksOrder,
} from "./failure.ts";
import { type PostgresFunction, readFunctions } from "./functions.ts";
import type {
  PostgresFilter,
  PostgresKey,
  PostgresMember,
  PostgresQuery,
  PostgresRule,
  PostgresSchema,
  PostgresTable,
} from "./served.ts";
import { NotAlone } from "./shared-reads.ts";
import type { SourceFinder } from "./source-finder.ts";
import {
  countRecords,
  hasAnotherPart,
  hasOtherFiles,
  isAnotherFile,
  keepingOf,
  planRecords,
  type Sql,
  selectRecord,
  selectRecords,
} from "./sql.ts";
import { countTrees, type Operand, selectTreeOf, selectTrees, type TreeSql } from "./tree-sql.ts";
import { treeIn } from "./tree-text.ts";
import type { ViewerSession } from "./viewer-session.ts";

/**
 * Thrown where a table was emptied, or rewritten, after the snapshot was taken and before the table was read: TRUNCATE does
 * not spare those who have an older snapshot.
 */
export class EmptiedMeanwhile extends Error {}

/** Where a session's transaction stands. What it says may be known only once a statement was answered. */
export interface SnapshotState {
  readonly viewer: Viewer;
  /** What the viewer's role may read. */
  readonly schema: PostgresSchema;
  readonly bookmark: Bookmark | undefined;
  readonly ahead?: Ahead | undefined;
  readonly unwatched: ReadonlyMap<string, string>;
  readonly finder: SourceFinder;
  /** Whether all of its statements see the same moment, which may be before they got a table's lock. */
  readonly isFixed?: boolean;
  /** Whether others read in the transaction, too. */
  readonly isShared?: boolean;
}

/** How many rows are asked for at first, and then. */
const [firstRows, moreRows] = [100, 500];
/** Tables that have no partitions, as far as that was asked. */
const whole: WeakSet<PostgresTable> = new WeakSet();
/** How many rows are fetched at once that may have many others in them. */
const treesAtOnce = 50;

/** The columns that a filter has tests of that only the database makes. */
function searchedIn(filter: PostgresFilter): PostgresMember[] {
  return conditionsOf(filter).flatMap(({ kind, column }) => (kind === "test" ? [column] : []));
}

/** What a statement was made of: what its refusal may be about. */
interface Asked {
  readonly tables: readonly PostgresTable[];
  readonly operands: readonly Operand[];
  /** The columns that are searched in a way that only the database knows. */
  readonly searched: readonly PostgresMember[];
  readonly isGrouped: boolean;
  /** Whether a rule that is not the peer's has a part in it. */
  readonly hasRule: boolean;
}

/** A query, and those of what is embedded. */
function allQueries(query: TreeQuery): TreeQuery[] {
  return [query, ...query.embeds.flatMap((embed) => allQueries(embed.query))];
}

/**
 * Whether a read goes beyond the tables that it names: to what views, policies and rules read. What these find decides what is
 * shown, so an emptied table may show more than there is to be seen.
 */
function readsBeyond(tables: readonly PostgresTable[], rules: readonly unknown[]): boolean {
  return tables.some(({ isPrivate }) => isPrivate) || rules.some((rule) => rule !== undefined);
}

function askedIn(table: PostgresTable, query: TreeQuery, operands: readonly Operand[]): Asked {
  const searched = allQueries(query).flatMap(({ filter }) => searchedIn(filter as PostgresFilter));
  const tables = [table, ...(embeddedTables(query) as PostgresTable[])];
  const isGrouped = allQueries(query).some(({ grouping }) => grouping !== undefined);
  return { tables, operands, searched, isGrouped, hasRule: operands.some(({ member }) => !member) };
}

/** What a policy can't read of what the viewer claims is no right; any other trouble of the database is its own. */
function ownTrouble(tables: readonly PostgresTable[], error: unknown): unknown {
  const hasPolicy = tables.some(({ isPrivate, isView }) => isPrivate && !isView);
  return hasPolicy && failedOf(error)?.code === "22P02" ? new Denied(error) : error;
}

function notCompared(how: string): Refusal {
  return new Refusal(
    400,
    `A column can't be ${how}: PostgreSQL has no order for values of its type, as of json and point.`,
  );
}

function notGrouped(): Refusal {
  return new Refusal(
    400,
    'A column of "select" can\'t make groups: PostgreSQL does not compare values of its type, as of json.',
  );
}

/** The database as a session's transaction sees it. */
export class PostgresSnapshot implements Snapshot {
  readonly schema: PostgresSchema;
  readonly viewer: Viewer;
  readonly session: ViewerSession;
  readonly #state: SnapshotState;

  constructor(session: ViewerSession, state: SnapshotState) {
    this.session = session;
    this.viewer = state.viewer;
    this.schema = state.schema;
    this.#state = state;
  }

  get bookmark(): Bookmark | undefined {
    return this.#state.bookmark;
  }

  get ahead(): Ahead | undefined {
    return this.#state.ahead;
  }

  get unwatched(): ReadonlyMap<string, string> {
    return this.#state.unwatched;
  }

  isPrivate({ isPrivate }: PostgresTable): boolean {
    return isPrivate;
  }

  *sources(table: PostgresTable): Steps<TableSources> {
    const { finder, isShared } = this.#state;
    if (isShared && !finder.hasFound(table)) throw new NotAlone();
    return yield* wait(finder.find(this.session, table));
  }

  filterOf(): undefined {
    return undefined;
  }

  permits({ permits }: PostgresTable): Permits {
    return permits;
  }

  *find(table: PostgresTable, key: PostgresKey, rule?: PostgresRule): Steps<Row | undefined> {
    const asking = this.rows(selectRecord(table, key, { rule }), keepingOf(table), rule);
    const checking = readsBeyond([table], [rule]) ? this.#requireAllFiles() : undefined;
    const [row] = yield* wait(asking);
    if (checking) yield* wait(checking);
    else if (!row) yield* wait(this.#requireSameFiles([table]));
    return row;
  }

  *each(table: PostgresTable, query: PostgresQuery, limit: number, visit: (row: Row) => boolean): Steps<void> {
    yield* this.walk(table, query, selectRecords(table, query, limit), visit);
  }

  /** Gives row by row of a statement that selects records of a query. */
  protected *walk(table: PostgresTable, query: PostgresQuery, sql: Sql, visit: (row: Row) => boolean): Steps<void> {
    const asking = this.session.portion(sql.text, sql.values, firstRows, keepingOf(table));
    // One that was emptied, or whose file is another one, shows nothing. A part of it may do so.
    const isChecked = !whole.has(table) || readsBeyond([table], [query.rule]);
    let checking = isChecked ? this.#requireFiles([table], [query.rule]) : undefined;
    let portion = yield* wait(this.#answered(table, query, sql.text, asking));
    let isEmpty = portion.rows.length === 0;
    while (portion.rows.every(visit) && portion.more) {
      portion = yield* wait(this.#answered(table, query, sql.text, portion.more(moreRows)));
      isEmpty &&= portion.rows.length === 0;
      if (isChecked) checking = this.#requireFiles([table], [query.rule]);
    }
    if (checking) yield* wait(checking);
    else if (isEmpty) yield* wait(this.#requireSameFiles([table]));
  }

  *measure(table: PostgresTable, query: PostgresQuery, limit: number): Steps<Measure> {
    const count = yield* this.#count(table, query, limit);
    // Types whose values may have no place in an order have no comparison.
    return { count, isComparable: true };
  }

  *count(table: PostgresTable, query: PostgresQuery): Steps<number> {
    return yield* this.#count(table, query, "ALL");
  }

  *#count(table: PostgresTable, query: PostgresQuery, limit: number | "ALL"): Steps<number> {
    const asking = this.#filtered(table, query, countRecords(table, query, limit));
    const checking = this.#requireFiles([table], [query.rule]);
    const [row] = yield* wait(asking);
    yield* wait(checking);
    return Number(row?.[0] ?? 0);
  }

  *estimate(table: PostgresTable, query: PostgresQuery): Steps<number | undefined> {
    if (table.isPrivate) return undefined;
    const [row] = yield* wait(this.#filtered(table, query, planRecords(table, query)));
    const [{ Plan: plan }] = JSON.parse(row?.[0] ?? "") as [{ readonly Plan: { readonly "Plan Rows": number } }];
    return plan["Plan Rows"];
  }

  *functions(name: string): Steps<readonly PostgresFunction[]> {
    return yield* wait(readFunctions(this.session, this.#state.finder.served, name));
  }

  *call(called: PostgresFunction, given: PostgresArguments, limit: number): Steps<readonly string[]> {
    if (this.#state.isShared) throw new NotAlone();
    const calling = callFunction(this.session, called, given, limit);
    const checking = this.#requireAllFiles();
    const results = yield* wait(calling);
    yield* wait(checking);
    return results;
  }

  *findTree(table: PostgresTable, key: PostgresKey, query: TreeQuery): Steps<Tree | undefined> {
    const asking = this.#asked(table, selectTreeOf(table, key, query), query);
    const checking = this.#requireTreesFiles(table, query);
    const [row] = yield* wait(asking);
    yield* wait(checking);
    return row && treeIn(row, query);
  }

  *eachTree(table: PostgresTable, query: TreeQuery, limit: number, visit: (tree: Tree) => boolean): Steps<void> {
    const { text, operands } = selectTrees(table, query, limit);
    const asked = askedIn(table, query, operands);
    const values = operands.map(({ value }) => value);
    const asking = this.session.portion(text, values, treesAtOnce);
    let checking = this.#requireTreesFiles(table, query);
    let portion = yield* wait(this.#judged(text, asked, asking));
    while (portion.rows.every((row) => visit(treeIn(row, query))) && portion.more) {
      portion = yield* wait(this.#judged(text, asked, portion.more(treesAtOnce)));
      checking = this.#requireTreesFiles(table, query);
    }
    yield* wait(checking);
  }

  *countTrees(table: PostgresTable, query: TreeQuery): Steps<number> {
    const asking = this.#asked(table, countTrees(table, query), query);
    const checking = this.#requireTreesFiles(table, query);
    const [row] = yield* wait(asking);
    yield* wait(checking);
    return Number(row?.[0] ?? 0);
  }

  #requireTreesFiles(table: PostgresTable, query: TreeQuery): Promise<unknown> {
    const rules = allQueries(query).map(({ rule }) => rule);
    return this.#requireFiles([table, ...(embeddedTables(query) as PostgresTable[])], rules);
  }

  /** As {@link #requireSameFiles}, of all tables where more than those that are named may have been read. */
  #requireFiles(tables: readonly PostgresTable[], rules: readonly unknown[]): Promise<unknown> {
    return readsBeyond(tables, rules) ? this.#requireAllFiles() : this.#requireSameFiles(tables);
  }

  /** @throws EmptiedMeanwhile */
  #requireAllFiles(): Promise<unknown> {
    if (!this.#state.isFixed) return Promise.resolve();
    const checking = this.session.query(hasOtherFiles, [], "keep").then(([row]) => {
      if (row?.[0] === "t") throw new EmptiedMeanwhile("A table was emptied while it was read.");
    });
    checking.catch(() => undefined);
    return checking;
  }

  /**
   * Asks at once whether tables have their files still, behind what was asked before: of that it is told.
   *
   * @throws EmptiedMeanwhile
   */
  #requireSameFiles(tables: readonly ServedTable[]): Promise<unknown> {
    if (!this.#state.isFixed) return Promise.resolve();
    const checking = Promise.all([...new Set(tables)].map((table) => this.#requireSameFile(table as PostgresTable)));
    // Where what was asked before fails, nobody waits for it.
    checking.catch(() => undefined);
    return checking;
  }

  async #requireSameFile(table: PostgresTable): Promise<void> {
    const [row] = await this.session.query(isAnotherFile(table), [], "keep");
    if (row?.[1] === "f") whole.add(table);
    const [parts] = row?.[1] === "t" ? await this.session.query(hasAnotherPart(table)) : [];
    if (row?.[0] === "t" || parts?.[0] === "t") throw new EmptiedMeanwhile("A table was emptied while it was read.");
  }

  /** @throws Refusal 400 where a column can't be compared with a literal of the filter */
  #filtered(table: PostgresTable, query: PostgresQuery, { text, values }: Sql): Promise<Row[]> {
    return this.#answered(table, query, text, this.session.query(text, values));
  }

  /** As {@link #filtered}, for a statement that was sent. */
  #answered<Given>(
    table: PostgresTable,
    { filter, rule }: PostgresQuery,
    text: string,
    answer: Promise<Given>,
  ): Promise<Given> {
    const searched = searchedIn(filter);
    return this.#judged(
      text,
      { tables: [table], operands: filterOperands(filter), searched, isGrouped: false, hasRule: rule !== undefined },
      answer,
    );
  }

  /** As {@link #filtered}, for a statement with several filters. */
  #asked(table: PostgresTable, { text, operands }: TreeSql, query: TreeQuery): Promise<Row[]> {
    const values = operands.map(({ value }) => value);
    return this.#judged(text, askedIn(table, query, operands), this.session.query(text, values));
  }

  async #judged<Given>(
    text: string,
    { tables, operands, searched, isGrouped, hasRule }: Asked,
    answer: Promise<Given>,
  ): Promise<Given> {
    try {
      return await answer;
    } catch (error) {
      const isSearch = searched.length > 0 && isUnreadableSearch(error);
      if (!isIncomparable(error) && !isSearch) throw error;
      if (lacksOrder(error)) throw isGrouped ? notGrouped() : notCompared("sorted by");
      const place = incomparablePlace(error, text);
      const found = place === undefined ? undefined : operands[place - 1];
      // Of what is read row by row, no place is told.
      const operand = found ?? operands.find(({ member }) => member !== undefined && searched.includes(member));
      if (!operand?.member && hasRule) throw new Denied(error);
      if (!operand?.member && lacksItemOrder(error)) throw notCompared("filtered or sorted by");
      if (!operand?.member) throw ownTrouble(tables, error);
      throw unreadable(operand.member, operand.value ?? "", "PostgreSQL does not take it.");
    }
  }

  /**
   * @param rule - what is in the statement of one
   * @throws Refusal 400 where a value of the URL can't be read as its column's type; Denied where one of a rule may be it
   */
  protected async rows({ text, values }: Sql, keeping?: Keeping, rule?: PostgresRule): Promise<Row[]> {
    try {
      return await this.session.query(text, values, keeping);
    } catch (error) {
      if (rule && (isUnreadable(error) || isIncomparable(error))) throw new Denied(error);
      if (!isUnreadable(error) || values.length === 0) throw error;
      throw new Refusal(400, "A value in the URL can't be read as its column's type.");
    }
  }
}
