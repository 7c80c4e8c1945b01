import type { Condition, Filter, JsonPath } from "../../../filter/index.ts";
import { keysBetween, relationsBetween } from "../../engine/keys-between.ts";
import { keysOfViews, uniqueIn } from "../../engine/keys-of-views.ts";
import { type Names, Naming, type OwnTable } from "../../engine/names.ts";
import type { Linked, Ordering, Query, RuleGroup } from "../../engine/query.ts";
import type { Permits } from "../../engine/snapshot.ts";
import {
  type ForeignKey,
  type LeftOut,
  type Member,
  type ServedSchema,
  type ServedTable,
  tableWrites,
} from "../../engine/table.ts";
import type { Text } from "../driver.ts";
import type { Table } from "../table.ts";
import type { Found, FullColumn, FullTable } from "./introspect.ts";
import type { Rule } from "./rules-sql.ts";
import { PostgresType } from "./value-type.ts";

/** A column as REST has it. */
export interface PostgresMember extends Member {
  readonly type: PostgresType;
  /** Its own name, as SQL has it. */
  readonly column: string;
  /** Whether a part of JSON is one of a column of `json` or of `jsonb`; absent where it is a column. */
  readonly jsonKind?: "json" | "jsonb";
}

/** A table as REST has it, and the table that it is. */
export interface PostgresTable extends ServedTable {
  readonly members: readonly PostgresMember[];
  readonly schema: string;
  /** Its name in its schema. */
  readonly ownName: string;
  /** Where each member's column is among the table's own. */
  readonly places: readonly number[];
  readonly rules: readonly Rule[];
  /** Whether its own changes don't decide what the role that it was read for is shown. */
  readonly isPrivate: boolean;
  /** Whether its rows can't be locked one by one. */
  readonly isUnlockable: boolean;
  /** Whether row-level security is switched on for it, whomever that concerns. */
  readonly hasPolicies: boolean;
  /** Whether something of the database's own may change a row once it is written. */
  readonly mayChangeAfter: boolean;
  /** Whether a write to it runs something of the database's own. */
  readonly actsOnWrite: boolean;
  /** What the role that it was read for may write. */
  readonly permits: Permits;
}

/** What names a record, in PostgreSQL. */
export interface PostgresKey {
  readonly members: readonly PostgresMember[];
  readonly values: readonly Text[];
}

/** What is asked of one column, in PostgreSQL. */
export type PostgresCondition = Condition<PostgresMember, Text>;

/** Which records are asked for, in PostgreSQL. */
export type PostgresFilter = Filter<PostgresMember, Text>;

/** What a viewer's right to a record depends on, in PostgreSQL. */
export type PostgresRule = PostgresCondition | PostgresLinked | PostgresRuleGroup;

/** A condition on records that foreign keys lead to, in PostgreSQL. */
export interface PostgresLinked extends Linked {
  readonly columns: readonly PostgresMember[];
  readonly others: readonly PostgresMember[];
  readonly table: PostgresTable;
  readonly rule: PostgresRule;
}

interface PostgresRuleGroup extends RuleGroup {
  readonly parts: readonly PostgresRule[];
}

/** Which of a table's records are asked for, in PostgreSQL. */
export interface PostgresQuery extends Query {
  readonly filter: PostgresFilter;
  readonly rule?: PostgresRule | undefined;
  readonly order: readonly (Ordering & { readonly member: PostgresMember })[];
}

/** What is stored, by member. */
export type PostgresValues = ReadonlyMap<PostgresMember, Text>;

/** A schema as REST has it. */
export interface PostgresSchema extends ServedSchema {
  readonly tables: readonly PostgresTable[];
}

/** Types whose values stand in a URL just as JSON shows them. */
const plainKinds = new Set(["int2", "int4", "int8", "oid", "uuid", "bool"]);

const partTypes = { json: new PostgresType({ kind: "jsonb" }), text: new PostgresType({ kind: "text" }) };

/** A part of a column's JSON as a member by itself. */
function partOfJson(member: PostgresMember, path: JsonPath, jsonKind: "json" | "jsonb"): PostgresMember {
  const type = path.isText ? partTypes.text : partTypes.json;
  return { ...member, name: path.text, path, jsonKind, type, inKey: false, nulls: "highest" };
}

function uniqueOf({ rules = [], base }: Partial<Pick<FullTable, "rules" | "base">>): readonly (readonly string[])[] {
  const sets = (base?.table.rules ?? rules).flatMap(({ isUnique, columns }) => (isUnique ? [columns] : []));
  return base ? uniqueIn(base, sets) : sets;
}

/** A table as the journal knows it, or with all that GETs and writes know. */
type KnownTable = Table & Partial<Omit<FullTable, keyof Table>>;

/** What a role may write of a table. The journal tells nothing of that, and is not asked. */
function permitsOf(
  { granted = tableWrites, writes = tableWrites, columns }: KnownTable,
  members: readonly PostgresMember[],
): Permits {
  const those = (right: "isGivable" | "isChangeable"): Set<PostgresMember> => {
    const denied = new Set(
      columns.filter((column: Partial<FullColumn>) => column[right] === false).map(({ name }) => name),
    );
    return new Set(members.filter(({ generated, column }) => !generated && !denied.has(column)));
  };
  return {
    writes: writes.filter((write) => granted.includes(write)),
    create: those("isGivable"),
    update: those("isChangeable"),
  };
}

/**
 * Tables as REST has them: those of the first schema by their names, those of others with their schema's before it, unless
 * models give them others.
 */
export class Served {
  readonly #first: string | undefined;
  /** The schemas that are served. */
  readonly schemas: readonly string[];
  readonly #naming: Naming;
  readonly #tables: WeakMap<Table, PostgresTable> = new WeakMap();

  /** @param schemas - those that are served */
  constructor(schemas: readonly string[], names?: Names) {
    this.#first = schemas[0];
    this.#naming = new Naming(names, schemas[0]);
    this.schemas = schemas;
  }

  /** What a schema has to serve. */
  schema({ tables, leftOut, denied }: Found): PostgresSchema {
    const named = leftOut.map((one): LeftOut => ({ name: this.nameOf(one), reason: one.reason }));
    const hidden = tables.flatMap((table): LeftOut[] => {
      const reason = this.#whyHidden(table);
      return reason === undefined ? [] : [{ name: this.ownNameOf(table), reason }];
    });
    const served = tables.filter((table) => this.isShown(table)).map((table) => this.table(table));
    return {
      tables: served,
      leftOut: [...named, ...hidden],
      relations: relationsBetween(served, this.#naming.relations),
      troubles: this.#naming.troubles([...tables, ...denied].map((table) => this.#ownTable(table))),
      foreignKeys: keysBetween(served, this.#naming.foreignKeys(this.#allKeys(tables))),
      denied: denied.filter((one) => this.isShown(one)).map((one) => this.nameOf(one)),
      unseen: denied.filter((one) => this.isShown(one) && one.columns.length > 0).map((table) => this.table(table)),
    };
  }

  /** A table as REST has it; the same one each time. */
  table(table: Table): PostgresTable {
    let served = this.#tables.get(table);
    if (!served) {
      served = this.#serve(table);
      this.#tables.set(table, served);
    }
    return served;
  }

  /** Why tables can't be watched, by their names here. @param byOwnName - by `schema.name` */
  unwatched(byOwnName: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const prefix = `${this.#first}.`;
    const named = [...byOwnName].map(([name, reason]) => {
      const own = name.startsWith(prefix) ? name.slice(prefix.length) : name;
      return [this.#naming.table(own), reason] as const;
    });
    return new Map(named);
  }

  /** A table's name here. */
  nameOf(table: Pick<Table, "schema" | "name">): string {
    return this.#naming.table(this.ownNameOf(table));
  }

  /** The name of a table, or of anything else of a schema, where no models give it another. */
  ownNameOf({ schema, name }: Pick<Table, "schema" | "name">): string {
    return schema === this.#first ? name : `${schema}.${name}`;
  }

  /** Whether a table is for anybody to see. */
  isShown(table: Pick<Table, "schema" | "name">): boolean {
    return this.#whyHidden(table) === undefined;
  }

  #whyHidden(table: Pick<Table, "schema" | "name">): string | undefined {
    return this.#naming.whyHidden(this.ownNameOf(table));
  }

  #ownTable(table: Table): OwnTable {
    return { name: this.ownNameOf(table), columns: table.columns.map(({ name }) => name), key: table.key };
  }

  /** By their own names: the foreign keys of tables, and those that views have from them; also of views that show tables of other schemas. */
  #allKeys(tables: readonly FullTable[]): ForeignKey[] {
    const views = tables.flatMap(({ base, ...view }) => (base ? [{ ...base, view: this.ownNameOf(view) }] : []));
    const others = views.map(({ table }) => table).filter(({ schema }) => !this.schemas.includes(schema));
    const byName = new Map(others.map((table) => [this.ownNameOf(table), table]));
    const keys = [...tables, ...byName.values()].flatMap((table) => this.#foreignKeys(table));
    const bases = views.map(({ view, table, columns }) => ({ view, table: this.ownNameOf(table), columns }));
    return [...keys, ...keysOfViews(keys, bases)];
  }

  #foreignKeys(table: Pick<FullTable, "schema" | "name" | "rules">): ForeignKey[] {
    return table.rules.flatMap(({ name, columns, references }) => {
      if (!references) return [];
      const other = { table: this.ownNameOf(references), columns: references.columns };
      return [{ name, table: this.ownNameOf(table), columns, references: other }];
    });
  }

  #serve(table: KnownTable): PostgresTable {
    const own = this.ownNameOf(table);
    const members = table.columns.flatMap((column): PostgresMember[] => {
      const name = this.#naming.column(own, column.name);
      if (name === undefined) return [];
      // The journal tells less of a column: enough to show a record.
      const { type, isGenerated = false, ...comparing } = column as Partial<FullColumn> & typeof column;
      const { isNotNull = false, isCodePoint = false, isExact = true, castTo, hasDefault = false, listed } = comparing;
      const member = {
        name,
        column: column.name,
        type: new PostgresType(type, { isCodePoint, isExact, castTo }),
        generated: isGenerated,
        hasDefault,
        listed: listed ?? undefined,
        inKey: table.key.includes(column.name),
        nulls: isNotNull ? "none" : "highest",
      } as const;
      const { kind } = type;
      return [
        kind === "json" || kind === "jsonb" ? { ...member, at: (path) => partOfJson(member, path, kind) } : member,
      ];
    });
    const key = table.key.map((name) => members.findIndex((member) => member.column === name));
    return {
      name: this.nameOf(table),
      members,
      key,
      hasPlainKey: key.every((at) => plainKinds.has(members[at]?.type.kind ?? "")),
      schema: table.schema,
      ownName: table.name,
      places: members.map(({ column }) => table.columns.findIndex(({ name }) => name === column)),
      rules: table.rules ?? [],
      unique: this.#naming.columnSets(own, uniqueOf(table)),
      isPrivate: table.isPrivate ?? false,
      ...(table.writes ? { writes: table.writes } : {}),
      ...(table.isView ? { isView: true, writes: table.writes ?? [] } : {}),
      isUnlockable: table.isUnlockable ?? false,
      hasPolicies: table.hasPolicies ?? true,
      mayChangeAfter: table.mayChangeAfter ?? true,
      actsOnWrite: table.actsOnWrite ?? true,
      permits: permitsOf(table, members),
    };
  }
}
