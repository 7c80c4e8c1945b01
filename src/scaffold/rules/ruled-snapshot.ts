import type { Ahead, Bookmark } from "../../server/index.ts";
import type { Query, RowRule } from "../engine/query.ts";
import type { Measure, Permits, Row, Snapshot, TableSources, ViewerFilter } from "../engine/snapshot.ts";
import { done, type Steps } from "../engine/steps.ts";
import type { RecordKey, ServedSchema, ServedTable } from "../engine/table.ts";
import type { Tree, TreeQuery } from "../engine/tree.ts";
import { bothOf, ruledTree, shownTree } from "./ruled-tree.ts";
import type { TableRights, ViewerRights } from "./viewer-rights.ts";

/** The database as a viewer may see it by the rules. Whatever reads, reads here. */
export class RuledSnapshot implements Snapshot {
  protected readonly rights: ViewerRights;
  readonly #inner: Snapshot;

  constructor(inner: Snapshot, rights: ViewerRights) {
    this.#inner = inner;
    this.rights = rights;
  }

  get schema(): ServedSchema {
    return this.rights.schema;
  }

  get bookmark(): Bookmark | undefined {
    return this.#inner.bookmark;
  }

  get ahead(): Ahead | undefined {
    return this.#inner.ahead;
  }

  get unwatched(): ReadonlyMap<string, string> {
    return this.#inner.unwatched;
  }

  isPrivate(table: ServedTable): boolean {
    const rights = this.rights.of(table);
    return this.#inner.isPrivate(rights.real) || rights.viewerFilter === undefined;
  }

  *sources(table: ServedTable): Steps<TableSources> {
    const { real, links } = this.rights.of(table);
    const tables = new Set<string>();
    let [isComplete, isUnwatched] = [true, false];
    for (const one of [real, ...links]) {
      const { name } = one;
      // Of a private one, what decides what it shows counts.
      if (!this.#inner.isPrivate(one) && (!this.rights.isAsked(name) || this.unwatched.has(name))) isUnwatched = true;
      const sources = yield* this.#inner.sources(one);
      for (const source of sources.tables) tables.add(source);
      isComplete &&= sources.isComplete;
      isUnwatched ||= sources.isUnwatched;
    }
    return { tables: [...tables], isComplete, isUnwatched };
  }

  filterOf(table: ServedTable): ViewerFilter | undefined {
    return this.rights.of(table).viewerFilter;
  }

  permits(table: ServedTable): Permits {
    const rights = this.rights.of(table);
    return rights.permitsOf(this.#inner.permits(rights.real));
  }

  *find(table: ServedTable, key: RecordKey, rule?: RowRule): Steps<Row | undefined> {
    const rights = this.rights.of(table);
    const row = yield* this.#inner.find(rights.real, key, bothOf(rights.rule("read"), rule));
    return row && rights.shownRow(row);
  }

  each(table: ServedTable, query: Query, limit: number, visit: (row: Row) => boolean): Steps<void> {
    const rights = this.rights.of(table);
    return this.#inner.each(rights.real, ruledQuery(query, rights), limit, (row) => visit(rights.shownRow(row)));
  }

  measure(table: ServedTable, query: Query, limit: number): Steps<Measure> {
    const rights = this.rights.of(table);
    return this.#inner.measure(rights.real, ruledQuery(query, rights), limit);
  }

  count(table: ServedTable, query: Query): Steps<number> {
    const rights = this.rights.of(table);
    return this.#inner.count(rights.real, ruledQuery(query, rights));
  }

  *estimate(table: ServedTable, query: Query): Steps<number | undefined> {
    const rights = this.rights.of(table);
    // The database guesses from what it keeps of all records.
    return rights.rule("read") ? undefined : yield* this.#inner.estimate?.(rights.real, query) ?? done(undefined);
  }

  *findTree(table: ServedTable, key: RecordKey, query: TreeQuery): Steps<Tree | undefined> {
    const tree = yield* this.#inner.findTree(this.rights.of(table).real, key, ruledTree(table, query, this.rights));
    return tree && shownTree(table, query, this.rights, tree);
  }

  eachTree(table: ServedTable, query: TreeQuery, limit: number, visit: (tree: Tree) => boolean): Steps<void> {
    const { real } = this.rights.of(table);
    const take = (tree: Tree): boolean => visit(shownTree(table, query, this.rights, tree));
    return this.#inner.eachTree(real, ruledTree(table, query, this.rights), limit, take);
  }

  countTrees(table: ServedTable, query: TreeQuery): Steps<number> {
    return this.#inner.countTrees(this.rights.of(table).real, ruledTree(table, query, this.rights));
  }
}

/** A query of what may be read. */
export function ruledQuery(query: Query, rights: TableRights): Query {
  return { ...query, rule: bothOf(query.rule, rights.rule("read")) };
}
