import { RocketError } from "../../../protocol/index.ts";
import type { TableSources } from "../../engine/snapshot.ts";
import { readDependencies, readNamedInFunctions } from "../dependencies.ts";
import type { PostgresJournal } from "../journal/options.ts";
import { type NamedTable, nameOf } from "../journal/watch-list.ts";
import { type PlanNames, readPlan } from "./plan.ts";
import type { PostgresTable, Served } from "./served.ts";
import { tableName } from "./table-name.ts";
import type { ViewerSession } from "./viewer-session.ts";

/** Functions that PostgreSQL brought and that run a query that is given to them as a text. */
const runningTexts = /^(?:query|table|cursor|schema|database)_to_xml(?:schema|_and_xmlschema)?$|^ts_stat$|^ts_rewrite$/;

/** What decides what a role is shown of a table. */
interface Found {
  readonly tables: readonly NamedTable[];
  /** Those that may be read beside them, by functions of which nobody knows. */
  readonly perhaps: readonly NamedTable[];
  /** Relations that nobody tells of. */
  readonly unwatchable: readonly NamedTable[];
  readonly isComplete: boolean;
}

/**
 * Thrown where tables are to be touched first: outside of the transaction that found them out, since it keeps them locked
 * against new triggers.
 */
export class Untouched extends Error {
  readonly tables: readonly NamedTable[];

  constructor(tables: readonly NamedTable[]) {
    super("Some tables are to be watched first.");
    this.tables = tables;
  }
}

/** What a finder stands on. */
export interface SourceFinderOptions {
  readonly served: Served;
  readonly journal: PostgresJournal | undefined;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** The plan of reading a table as the viewer, with nothing left out that another moment would read. */
async function readOwnPlan(session: ViewerSession, table: PostgresTable): Promise<PlanNames | undefined> {
  const columns = table.members.map(({ column }) => `"${column.replaceAll('"', '""')}"`).join(", ");
  await session.script("SAVEPOINT rocket_plan");
  try {
    await session.script("SET LOCAL enable_partition_pruning = off; SET LOCAL constraint_exclusion = off");
    const [row] = await session.query(`EXPLAIN (FORMAT JSON, VERBOSE) SELECT ${columns} FROM ${tableName(table)}`);
    return readPlan(row?.[0] ?? "[]");
  } catch {
    return undefined;
  } finally {
    await session.script("ROLLBACK TO rocket_plan; RELEASE rocket_plan");
  }
}

/**
 * Finds out what decides which rows a role is shown: the tables that policies read, and whether a function hides what it
 * reads. Once for each role and table, until the schema changes.
 *
 * Two things are asked. The catalogue knows what policies, views and bodies in `BEGIN ATOMIC` refer to. The plan knows what
 * functions in SQL read that vanish into it, and which functions are still called: those are opaque, unless their body is
 * known.
 */
export class SourceFinder {
  readonly #options: SourceFinderOptions;
  /** A table is another object for each role, and after each change of the schema. */
  readonly #found: WeakMap<PostgresTable, Promise<Found>> = new WeakMap();
  readonly #reported: Set<string> = new Set();

  constructor(options: SourceFinderOptions) {
    this.#options = options;
  }

  /** How what is served is named. */
  get served(): Served {
    return this.#options.served;
  }

  /** Whether it was found out before what decides what is shown of a table. */
  hasFound(table: PostgresTable): boolean {
    return this.#found.has(table);
  }

  /**
   * What decides what a viewer is shown of a table; all of it is watched, as far as that can be.
   *
   * @throws Untouched where some of it is to be watched first
   */
  async find(session: ViewerSession, table: PostgresTable): Promise<TableSources> {
    const { served, journal } = this.#options;
    const finding = this.#found.get(table) ?? this.#read(session, table);
    this.#found.set(table, finding);
    finding.catch(() => this.#found.delete(table));
    const { tables, perhaps, unwatchable, isComplete } = await finding;
    const all = [...tables, ...perhaps];
    const unasked = journal?.unasked(all) ?? [];
    if (unasked.length > 0) throw new Untouched(unasked);
    const missed = journal?.untouched ?? new Map<string, string>();
    for (const one of unwatchable) this.#report(one, "no trigger tells when it changes.");
    for (const one of all) if (missed.has(nameOf(one))) this.#report(one, missed.get(nameOf(one)) ?? "");
    const isUnwatched = unwatchable.length > 0 || tables.some((one) => missed.has(nameOf(one)));
    return { tables: tables.map((one) => served.nameOf(one)), isComplete, isUnwatched };
  }

  async #read(session: ViewerSession, table: PostgresTable): Promise<Found> {
    const itself = { schema: table.schema, name: table.ownName };
    const plan = await readOwnPlan(session, table);
    const called = plan?.called ?? new Set<string>();
    const found = await readDependencies(session.own, [itself, ...(plan?.relations ?? [])], [...called]);
    const isOpaque =
      !plan ||
      found.unclear.some(({ name, isHidden }) => isHidden || called.has(name)) ||
      [...called].some((name) => runningTexts.test(name));
    const { tables, unwatchable } = found;
    const perhaps = isOpaque ? await readNamedInFunctions(session.own) : [];
    return { tables, perhaps, unwatchable, isComplete: !isOpaque };
  }

  #report(table: NamedTable, reason: string): void {
    const name = nameOf(table);
    if (this.#reported.has(name)) return;
    this.#reported.add(name);
    const message = `Who may see what may depend on ${name}, whose changes can't be watched: ${reason.replace(/\.$/, "")}.`;
    this.#options.reportError(new RocketError("table-not-watched", message), "watch");
  }
}
