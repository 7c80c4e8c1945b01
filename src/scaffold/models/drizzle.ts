import type { ModelKind, Names, TableNames } from "../engine/names.ts";
import type { NamedRelation } from "../engine/table.ts";
import { invalidModel } from "./core-data.ts";

// Where Drizzle keeps what a table is: symbols that all copies of it share.
const isDrizzleTable: unique symbol = Symbol.for("drizzle:IsDrizzleTable");
const tableName: unique symbol = Symbol.for("drizzle:Name");
const tableSchema: unique symbol = Symbol.for("drizzle:Schema");
const tableColumns: unique symbol = Symbol.for("drizzle:Columns");
const viewConfig: unique symbol = Symbol.for("drizzle:ViewBaseConfig");
const entityKind: unique symbol = Symbol.for("drizzle:entityKind");

interface DrizzleColumn {
  readonly name: string;
  /** Whether it was given no name, so that its key is its name, unless an option `casing` makes another of it. */
  readonly keyAsName?: boolean;
}

type DrizzleColumns = Readonly<Record<string, DrizzleColumn>>;

interface DrizzleTable {
  readonly [tableName]: string;
  readonly [tableSchema]?: string;
  readonly [tableColumns]: DrizzleColumns;
}

interface DrizzleView {
  readonly [viewConfig]: { readonly name: string; readonly schema?: string; readonly selectedFields: object };
}

/** What `relations()` makes. */
interface DrizzleRelations {
  readonly table: object;
  config(helpers: { readonly one: Helper; readonly many: Helper }): Readonly<Record<string, Declared>>;
}

type Helper = (table: object, config?: DeclaredBy) => Declared;

/** A relation's columns, as `one` is given them, and its name where one table has several. */
interface DeclaredBy {
  readonly fields?: readonly DrizzleColumn[];
  readonly references?: readonly DrizzleColumn[];
  readonly relationName?: string;
}

/** What a helper gives for a relation. */
interface Declared extends DeclaredBy {
  readonly isOne: boolean;
  readonly table: object;
  withFieldName(): Declared;
}

/** What `defineRelations()` makes, of one table. */
interface DefinedTable {
  readonly table: object;
  readonly relations: Readonly<Record<string, Defined>>;
}

/** A column behind `r.table.column`. */
interface Wrapped {
  readonly _: { readonly column: DrizzleColumn };
}

interface Defined {
  readonly relationType: "one" | "many";
  readonly targetTable: object;
  readonly sourceColumns: readonly DrizzleColumn[];
  readonly targetColumns: readonly DrizzleColumn[];
  readonly throughTable?: object;
  readonly through?: { readonly source: readonly Wrapped[]; readonly target: readonly Wrapped[] };
}

/** A table or view that is exported, under the name that it is exported by. */
interface Exported {
  readonly names: TableNames & { readonly name: string };
  /** What its columns are called, by themselves. */
  readonly keys: ReadonlyMap<DrizzleColumn, string>;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function isTable(value: object): value is DrizzleTable {
  return isDrizzleTable in value;
}

function isView(value: object): value is DrizzleView {
  return viewConfig in value && isObject(value[viewConfig]);
}

/** What Drizzle calls the class of something, in all copies of it. */
function kindOf(value: object): unknown {
  const { constructor: made } = value as { readonly constructor?: { readonly [entityKind]?: unknown } };
  return made?.[entityKind];
}

function isRelations(value: object): value is DrizzleRelations {
  return kindOf(value) === "Relations";
}

function isDefinedTable(value: unknown): value is DefinedTable {
  return (
    isObject(value) && "table" in value && "relations" in value && isObject(value.table) && isObject(value.relations)
  );
}

/** What `casing` makes of a key. */
function casings(key: string): string[] {
  const words = key.match(/[\da-z]+|[A-Z]+(?![a-z])|[A-Z][\da-z]+/g) ?? [];
  const lower = words.map((word) => word.toLowerCase());
  const camel = lower.map((word, at) => (at === 0 ? word : `${word[0]?.toUpperCase()}${word.slice(1)}`)).join("");
  return [lower.join("_"), camel];
}

function columnNames(columns: DrizzleColumns): Map<string, string> {
  const names = new Map<string, string>();
  for (const [key, { name }] of Object.entries(columns)) names.set(name, key);
  for (const [key, { name, keyAsName = false }] of Object.entries(columns)) {
    for (const other of keyAsName ? casings(name) : []) if (!names.has(other)) names.set(other, key);
  }
  return names;
}

/** What Drizzle makes of SQLite's numbers and texts, by the kinds of its columns. */
const modes: ReadonlyMap<unknown, ModelKind> = new Map([
  ["SQLiteBoolean", "boolean"],
  ["SQLiteTextJson", "json"],
]);

/** What columns are called, and hold, by all the names that they may have. @param fields - what they are, by their keys */
function namesAndKinds(columns: DrizzleColumns, fields: object): Pick<TableNames, "columns" | "kinds"> {
  const names = columnNames(columns);
  const kindBy = new Map(
    Object.entries(fields).map(([key, field]) => [key, isObject(field) ? modes.get(kindOf(field)) : undefined]),
  );
  const kinds = [...names].flatMap(([name, key]) => {
    const kind = kindBy.get(key);
    return kind ? [[name, kind] as const] : [];
  });
  return kinds.length > 0 ? { columns: names, kinds: new Map(kinds) } : { columns: names };
}

/** The columns of a view that have names; what it computes has one of its own, too. */
function viewColumns(fields: object): DrizzleColumns {
  const named = Object.entries(fields).flatMap(([key, field]) => {
    const { name, fieldAlias, keyAsName } = (isObject(field) ? field : {}) as Partial<Record<string, unknown>>;
    const own = fieldAlias ?? name;
    return typeof own === "string" ? [[key, { name: own, keyAsName: keyAsName === true }] as const] : [];
  });
  return Object.fromEntries(named);
}

/** What the exports of a Drizzle schema call the tables, columns and relations of a database. */
class DrizzleModels {
  readonly #tables: Map<object, Exported> = new Map();
  readonly #declared: Map<object, Map<string, Declared>> = new Map();
  readonly #defined: DefinedTable[] = [];

  constructor(exported: Iterable<readonly [name: string, value: unknown]>) {
    for (const [name, value] of exported) this.#add(name, value);
  }

  names(): Names {
    const declared = [...this.#declared].flatMap(([table, relations]) => {
      return [...relations].flatMap(([name, relation]) => this.#declaredRelation(table, name, relation));
    });
    const defined = this.#defined.flatMap(({ table, relations }) => {
      return Object.entries(relations).flatMap(([name, relation]) => this.#definedRelation(table, name, relation));
    });
    return { tables: [...this.#tables.values()].map(({ names }) => names), relations: [...declared, ...defined] };
  }

  #add(name: string, value: unknown): void {
    if (!isObject(value)) return;
    if (isTable(value)) this.#addTable(name, value);
    else if (isView(value)) this.#addView(name, value);
    else if (isRelations(value)) this.#declare(value);
    else this.#defined.push(...Object.values(value).filter(isDefinedTable));
  }

  #addTable(name: string, table: DrizzleTable): void {
    const columns = table[tableColumns];
    const own = { title: `the table ${name}`, table: table[tableName], schema: table[tableSchema] };
    this.#put(table, { ...own, name, ...namesAndKinds(columns, columns) }, columns);
  }

  #addView(name: string, view: DrizzleView): void {
    const config = view[viewConfig];
    const columns = viewColumns(config.selectedFields);
    const own = { title: `the view ${name}`, table: config.name, schema: config.schema };
    this.#put(view, { ...own, name, ...namesAndKinds(columns, config.selectedFields) }, columns);
  }

  /** One that is exported twice has the first name. */
  #put(table: object, names: Exported["names"], columns: DrizzleColumns): void {
    if (this.#tables.has(table)) return;
    this.#tables.set(table, { names, keys: new Map(Object.entries(columns).map(([key, column]) => [column, key])) });
  }

  #declare({ table, config }: DrizzleRelations): void {
    const helper = (isOne: boolean): Helper => {
      return (other, by = {}) => {
        const declared: Declared = { ...by, isOne, table: other, withFieldName: () => declared };
        return declared;
      };
    };
    const relations = this.#declared.get(table) ?? new Map<string, Declared>();
    this.#declared.set(table, relations);
    for (const [name, one] of Object.entries(config({ one: helper(true), many: helper(false) })))
      relations.set(name, one);
  }

  /** An end without columns has those of the other end. */
  #declaredRelation(table: object, name: string, relation: Declared): NamedRelation[] {
    const { isOne, table: other } = relation;
    const { fields, references } = relation.fields ? relation : this.#opposite(table, relation);
    if (!fields || !references) return [];
    return this.#relation({ name, isOne, table, other, fields, references });
  }

  #opposite(table: object, { table: other, relationName }: Declared): DeclaredBy {
    const back = [...(this.#declared.get(other)?.values() ?? [])].find((one) => {
      return one.table === table && one.fields !== undefined && one.relationName === relationName;
    });
    return back ? { fields: back.references ?? [], references: back.fields ?? [] } : {};
  }

  #definedRelation(table: object, name: string, relation: Defined): NamedRelation[] {
    const { targetTable: other, sourceColumns: fields, targetColumns: references, throughTable, through } = relation;
    const isOne = relation.relationType === "one";
    const [named] = this.#relation({ name, isOne, table, other, fields, references });
    if (!named || !throughTable || !through) return named ? [named] : [];
    const third = this.#tables.get(throughTable);
    if (!third) return [];
    const keysOf = (columns: readonly Wrapped[]): string[] =>
      columns.flatMap(({ _ }) => third.keys.get(_.column) ?? []);
    return [
      {
        ...named,
        isOne: false,
        join: { table: third.names.name, from: keysOf(through.source), to: keysOf(through.target) },
      },
    ];
  }

  /** None where a table or a column of it is not exported. */
  #relation(parts: {
    readonly name: string;
    readonly isOne: boolean;
    readonly table: object;
    readonly other: object;
    readonly fields: readonly DrizzleColumn[];
    readonly references: readonly DrizzleColumn[];
  }): NamedRelation[] {
    const { name, isOne, fields, references } = parts;
    const [table, other] = [this.#tables.get(parts.table), this.#tables.get(parts.other)];
    if (!table || !other) return [];
    const columns = fields.flatMap((column) => table.keys.get(column) ?? []);
    const others = references.flatMap((column) => other.keys.get(column) ?? []);
    if (columns.length !== fields.length || others.length !== references.length) return [];
    return [
      { name, isOne, table: table.names.name, columns, references: { table: other.names.name, columns: others } },
    ];
  }
}

/**
 * What a Drizzle schema calls the tables, columns and relations of a database.
 *
 * @param exported - what its modules export, by name
 * @param place - what it was read from, for what is wrong with it
 * @throws RocketError `model-invalid`
 */
export function namesOfDrizzle(exported: Iterable<readonly [name: string, value: unknown]>, place: string): Names {
  const names = new DrizzleModels(exported).names();
  if (names.tables.length === 0) invalidModel(`${place} exports no table of Drizzle's (pgTable, sqliteTable).`);
  return names;
}
