import type { ColumnsOf, ForeignKey, NamedRelation } from "./table.ts";

/** What models call a table of the database, and its columns. */
export interface TableNames {
  /** What the models call it where they speak of it: `the model Artist`. */
  readonly title: string;
  /** The table's own name. */
  readonly table: string;
  /** PostgreSQL's schema that it is in; absent: the first one that is served. */
  readonly schema?: string | undefined;
  /** What it is called outside; `undefined` where it is shown to nobody. */
  readonly name: string | undefined;
  /**
   * What its columns are called, by their own names; `undefined` where they are shown to nobody. Others keep their names.
   * Where several are called the same, the column has one of these names, the first most likely.
   */
  readonly columns: ReadonlyMap<string, string | undefined>;
  /** What columns hold that SQLite has no type for, by their own names; absent where the database's types say all. */
  readonly kinds?: ReadonlyMap<string, ModelKind> | undefined;
}

/** What models say that a column of numbers or texts holds. */
export type ModelKind = "boolean" | "json";

/** What models call what a database has. Plain data: threads are given it. */
export interface Names {
  readonly tables: readonly TableNames[];
  readonly relations: readonly NamedRelation[];
}

/** A table as the database has it. */
export interface OwnTable {
  /** With its schema's before it, where that is not the first. */
  readonly name: string;
  readonly columns: readonly string[];
  /** The columns that tell its records apart. */
  readonly key: readonly string[];
}

function quoted(name: string): string {
  return JSON.stringify(name);
}

const advice = "Run your migrations first (rocket migrate), or leave it out of the models.";

/** What a table of the models asks for and the database has not. */
function lacking({ title, columns, name }: TableNames, own: string, table: OwnTable | undefined): string[] {
  if (!table) return [`The database has no table ${quoted(own)}, which ${title} is. ${advice}`];
  const there = new Set(table.columns.map((column) => columns.get(column)));
  // Where a column may have one of several names, one of them is enough.
  const isThere = (column: string, as: string | undefined): boolean =>
    table.columns.includes(column) || (as !== undefined && there.has(as));
  const first = new Map([...columns].reverse().map(([column, as]) => [as ?? column, column]));
  const missing = [...columns].filter(([column, as]) => !isThere(column, as) && first.get(as ?? column) === column);
  const hiddenKey = name === undefined ? undefined : table.key.find((column) => isHidden(columns, column));
  return [
    ...missing.map(([column]) => {
      return `The table ${quoted(own)} has no column ${quoted(column)}, which ${title} has. ${advice}`;
    }),
    ...(hiddenKey === undefined
      ? []
      : [
          `${title[0]?.toUpperCase()}${title.slice(1)} hides ${quoted(hiddenKey)}, which its records' URLs are made of.`,
        ]),
  ];
}

function isHidden(columns: TableNames["columns"], column: string): boolean {
  return columns.has(column) && columns.get(column) === undefined;
}

/** What is called the same: two own names, and what they are called. */
function twice(named: readonly (readonly [own: string, name: string])[]): (readonly [string, string, string])[] {
  const first = new Map<string, string>();
  return named.flatMap(([own, name]) => {
    const before = first.get(name);
    if (before !== undefined) return [[before, own, name] as const];
    first.set(name, own);
    return [];
  });
}

/** How many troubles are told at once. */
const maxTold = 20;

/** Troubles as they are told: the first ones, and how many more there are. */
export function toldTroubles(troubles: readonly string[]): string[] {
  const more = troubles.length - maxTold;
  return more > 0 ? [...troubles.slice(0, maxTold), `And ${more} more like these.`] : [...troubles];
}

/** The books that tools keep of their own migrations, and whose they are. */
const books: ReadonlyMap<string, string> = new Map([
  ["_prisma_migrations", "Prisma"],
  ["__drizzle_migrations", "Drizzle"],
]);

/** Looks up what models call what a database has; without models, everything has its own name. */
export class Naming {
  readonly relations: readonly NamedRelation[];
  readonly #tables: ReadonlyMap<string, TableNames>;

  /** @param firstSchema - PostgreSQL's schema whose tables are named without it */
  constructor({ tables, relations }: Names = { tables: [], relations: [] }, firstSchema?: string) {
    const keyOf = ({ table, schema }: TableNames): string => {
      return schema === undefined || schema === firstSchema ? table : `${schema}.${table}`;
    };
    this.relations = relations;
    this.#tables = new Map(tables.map((table) => [keyOf(table), table]));
  }

  /** What a table is called outside. @param own - its own name, with its schema's before it where that is not the first */
  table(own: string): string {
    return this.#tables.get(own)?.name ?? own;
  }

  /** What a column of a table is called outside; `undefined` where it is shown to nobody. */
  column(own: string, column: string): string | undefined {
    const columns = this.#tables.get(own)?.columns;
    return columns?.has(column) ? columns.get(column) : column;
  }

  /** What models say that a column holds; `undefined` where they leave it to the database. */
  kind(own: string, column: string): ModelKind | undefined {
    return this.#tables.get(own)?.kinds?.get(column);
  }

  /** Foreign keys by own names, as they are called outside: those of columns that nobody is shown lack them. */
  foreignKeys(keys: readonly ForeignKey[]): ForeignKey[] {
    const named = ({ table, columns }: ColumnsOf): ColumnsOf => {
      return { table: this.table(table), columns: columns.flatMap((column) => this.column(table, column) ?? []) };
    };
    return keys.map((key) => ({ ...key, ...named(key), references: named(key.references) }));
  }

  /** Sets of a table's columns, without those of which nobody is shown one. */
  columnSets(own: string, sets: readonly (readonly string[])[]): string[][] {
    const named = sets.map((columns) => columns.flatMap((column) => this.column(own, column) ?? []));
    return named.filter((columns, at) => columns.length === sets[at]?.length);
  }

  /**
   * In what the models and a database don't fit, in sentences that say what to do.
   *
   * @param tables - what the database has, by the tables' own names, with their schema's before it where that is not the first
   */
  troubles(tables: readonly OwnTable[]): string[] {
    const byName = new Map(tables.map((table) => [table.name, table]));
    const lacks = [...this.#tables].flatMap(([own, names]) => lacking(names, own, byName.get(own)));
    return [...lacks, ...this.#clashes(tables), ...tables.flatMap((table) => this.#clashesIn(table))];
  }

  /** Tables that have one name outside. */
  #clashes(tables: readonly OwnTable[]): string[] {
    const shown = tables.filter(({ name }) => this.whyHidden(name) === undefined);
    return twice(shown.map(({ name }) => [name, this.table(name)])).map(([one, other, name]) => {
      return `The tables ${quoted(one)} and ${quoted(other)} would both be called ${quoted(name)}: have the models name both.`;
    });
  }

  #clashesIn({ name: own, columns }: OwnTable): string[] {
    const shown = columns.flatMap((column) => {
      const name = this.column(own, column);
      return name === undefined ? [] : [[column, name] as const];
    });
    return twice(shown).map(([one, other, name]) => {
      return `The columns ${quoted(one)} and ${quoted(other)} of the table ${quoted(own)} would both be called ${quoted(name)}: have the models name both.`;
    });
  }

  /** Why nobody is shown a table, as a clause for a person; `undefined` where it is shown. */
  whyHidden(own: string): string | undefined {
    const table = this.#tables.get(own);
    if (table) return table.name === undefined ? "the models say that it is nobody's to see" : undefined;
    const tool = books.get(own);
    return tool === undefined ? undefined : `it is where ${tool} notes its migrations`;
  }
}
