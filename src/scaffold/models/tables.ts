import pluralize from "pluralize";
import { invalidModel } from "./core-data.ts";
import type { Attribute, AttributeType, Bounds, DeletionRule, Entity, Model, Relationship } from "./model.ts";
import { type Tie, tiesOf } from "./ties.ts";

/** What a foreign key does when the record that it names is deleted. */
export type OnDelete = "CASCADE" | "SET NULL" | "RESTRICT";

/** A column of a table that a model asks for. */
export interface ModelColumn extends Bounds {
  readonly name: string;
  readonly type: AttributeType;
  readonly isOptional: boolean;
  /** The table whose key it names, and what happens when that record is deleted. */
  readonly references?: { readonly table: string; readonly column: string; readonly onDelete: OnDelete };
}

/** A table that a model asks for. */
export interface ModelTable {
  readonly name: string;
  readonly columns: readonly ModelColumn[];
  readonly key: readonly string[];
  /** Whether the database makes the key. */
  readonly isKeyMade: boolean;
  readonly unique: readonly (readonly string[])[];
  readonly indexes: readonly (readonly string[])[];
}

/** The tables that a model asks for, and what of it they don't keep, in sentences. */
export interface ModelTables {
  readonly tables: readonly ModelTable[];
  readonly notes: readonly string[];
}

function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

/** `RecordLabel` is `record_labels`. */
function tableName(entity: string): string {
  return pluralize(snake(entity));
}

const keyTypes: ReadonlySet<AttributeType> = new Set(["integer16", "integer32", "integer64", "string", "uuid"]);

function onDelete(rule: DeletionRule, isOptional: boolean): OnDelete {
  if (rule === "cascade") return "CASCADE";
  return rule === "nullify" && isOptional ? "SET NULL" : "RESTRICT";
}

/** An entity and those that it is a kind of, the first of them first. */
function lineOf(entity: Entity, byName: ReadonlyMap<string, Entity>): Entity[] {
  const line = [entity];
  for (let parent = entity.parent; parent !== undefined; parent = line[0]?.parent) {
    const found = byName.get(parent);
    if (!found || line.includes(found)) return invalidModel(`${entity.name} is a kind of ${parent}, which can't be.`);
    line.unshift(found);
  }
  return line;
}

/** Entities that have records, each with all that it has from others. */
function concrete({ entities }: Model): Entity[] {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  return entities
    .filter(({ isAbstract }) => !isAbstract)
    .map((entity) => {
      const line = lineOf(entity, byName);
      const all = <Part>(part: (one: Entity) => readonly Part[]): Part[] => line.flatMap(part);
      return {
        ...entity,
        attributes: all((one) => one.attributes),
        relationships: all((one) => one.relationships),
        unique: all((one) => one.unique),
        indexes: all((one) => one.indexes),
      };
    });
}

function withoutRepeats(lists: readonly string[][]): string[][] {
  return [...new Map(lists.map((list) => [JSON.stringify(list), list])).values()];
}

/** How many bytes a name of PostgreSQL has at most: it would cut a longer one. */
const maxNameBytes = 63;

function requireShort(name: string): void {
  if (new TextEncoder().encode(name).length > maxNameBytes)
    invalidModel(`The name ${name} has more than ${maxNameBytes} bytes.`);
}

/** Makes tables of a model's entities. */
class TableMaker {
  readonly #entities: readonly Entity[];
  readonly #keys: Map<string, Attribute | undefined> = new Map();
  readonly #columns: Map<string, ModelColumn[]> = new Map();
  readonly #joins: ModelTable[] = [];
  readonly #unique: Map<string, string[][]> = new Map();
  readonly #indexes: Map<string, string[][]> = new Map();
  /** A relationship's column, by entity and name. */
  readonly #columnOf: Map<string, string> = new Map();
  readonly notes: string[];

  constructor(model: Model) {
    this.#entities = concrete(model);
    this.notes = [...model.notes];
    for (const { name, attributes } of this.#entities) {
      const key = attributes.find((attribute) => attribute.name === "id");
      if (key && !keyTypes.has(key.type)) invalidModel(`${name}.id can't be the key: it is no number, text or UUID.`);
      this.#keys.set(name, key);
      const own: ModelColumn = key
        ? { ...key, isOptional: false }
        : { name: "id", type: "integer64", isOptional: false };
      this.#columns.set(name, [own, ...attributes.filter((attribute) => attribute !== key)]);
    }
  }

  make(): ModelTable[] {
    for (const tie of tiesOf(this.#entities, this.notes)) this.#tie(tie);
    const tables = this.#entities.map((entity) => this.#table(entity));
    const all = [...tables, ...this.#joins];
    const names = new Set<string>();
    for (const { name, columns } of all) {
      if (names.has(name)) invalidModel(`Two entities or relationships would have the table ${name}.`);
      names.add(name);
      for (const one of [name, ...columns.map((column) => column.name)]) requireShort(one);
      const folded = new Set(columns.map((column) => column.name.toLowerCase()));
      if (folded.size < columns.length) invalidModel(`The table ${name} would have two columns of one name.`);
    }
    return all;
  }

  #table({ name, unique, indexes }: Entity): ModelTable {
    const key = this.#keys.get(name);
    const columns = this.#columns.get(name) ?? [];
    const known = new Set(columns.map((column) => column.name));
    const isKey = (list: readonly string[]): boolean => list.length === 1 && list[0] === "id";
    const named = (lists: readonly (readonly string[])[]): string[][] =>
      lists
        .map((list) => list.map((one) => this.#columnOf.get(`${name}.${one}`) ?? one))
        .filter((list) => list.length > 0 && !isKey(list) && list.every((one) => known.has(one)));
    return {
      name: tableName(name),
      columns,
      key: ["id"],
      isKeyMade: key?.type !== "string",
      unique: withoutRepeats([...named(unique), ...(this.#unique.get(name) ?? [])]),
      indexes: withoutRepeats([...named(indexes), ...(this.#indexes.get(name) ?? [])]),
    };
  }

  #reference(to: string, how: OnDelete): NonNullable<ModelColumn["references"]> {
    return { table: tableName(to), column: "id", onDelete: how };
  }

  #keyType(entity: string): AttributeType {
    return this.#keys.get(entity)?.type ?? "integer64";
  }

  #tie(tie: Tie): void {
    if (tie.kind === "join") this.#join(tie);
    else this.#foreignKey(tie);
  }

  #foreignKey({ from, to, name, isOptional, isUnique, rule, relationship }: Extract<Tie, { kind: "key" }>): void {
    const column = `${snake(name)}_id`;
    const references = this.#reference(to, onDelete(rule, isOptional));
    this.#columns.get(from)?.push({ name: column, type: this.#keyType(to), isOptional, references });
    if (relationship !== undefined) this.#columnOf.set(`${from}.${relationship}`, column);
    const lists = isUnique ? this.#unique : this.#indexes;
    lists.set(from, [...(lists.get(from) ?? []), [column]]);
  }

  #join({ from, to, relationship, inverse }: Extract<Tie, { kind: "join" }>): void {
    const isSame = relationship === inverse || inverse === undefined;
    const first = `${isSame ? snake(from) : pluralize.singular(snake(inverse.name))}_id`;
    const second = `${pluralize.singular(snake(relationship.name))}_id`;
    const column = (name: string, entity: string, { rule }: Pick<Relationship, "rule">): ModelColumn => ({
      ...{ name, type: this.#keyType(entity), isOptional: false },
      references: this.#reference(entity, rule === "deny" ? "RESTRICT" : "CASCADE"),
    });
    this.#joins.push({
      name: `${tableName(from)}_${snake(relationship.name)}`,
      columns: [column(first, from, relationship), column(second, to, inverse ?? { rule: "nullify" })],
      key: [first, second],
      isKeyMade: false,
      unique: [],
      indexes: [[second]],
    });
  }
}

/**
 * The tables that hold a model's records: one for each entity that has any, and one for each relationship of many with many.
 *
 * @throws RocketError `model-invalid`
 */
export function tablesOf(model: Model): ModelTables {
  const maker = new TableMaker(model);
  const tables = maker.make();
  return { tables, notes: maker.notes };
}
