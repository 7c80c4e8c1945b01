import type { Names, TableNames } from "../engine/names.ts";
import type { NamedRelation } from "../engine/table.ts";
import { invalidModel } from "./core-data.ts";
import type { PrismaAttribute, PrismaBlock, PrismaField, PrismaValue } from "./prisma-text.ts";

/** A field that leads to a model. */
interface RelationField {
  readonly model: PrismaBlock;
  readonly field: PrismaField;
  /** The relation's own name, where it has one. */
  readonly name: string | undefined;
  /** The foreign key's fields, and those that they name; empty at the end that has no foreign key. */
  readonly fields: readonly string[];
  readonly references: readonly string[];
}

function attributeOf({ attributes }: Pick<PrismaBlock, "attributes">, name: string): PrismaAttribute | undefined {
  return attributes.find((attribute) => attribute.name === name);
}

/** What an attribute is given under a name, or first without one. */
function argumentOf(attribute: PrismaAttribute | undefined, name: string): PrismaValue | undefined {
  const given = attribute?.arguments ?? [];
  return (given.find((one) => one.name === name) ?? given.find((one, at) => at === 0 && one.name === undefined))?.value;
}

function textOf(value: PrismaValue | undefined): string | undefined {
  return value?.kind === "text" ? value.text : undefined;
}

/** The names in a list. */
function namesIn(attribute: PrismaAttribute | undefined, name: string): string[] {
  const value = attribute?.arguments.find((one) => one.name === name)?.value;
  return value?.kind === "list" ? value.values.flatMap((one) => (one.kind === "name" ? [one.name] : [])) : [];
}

function isIgnored({ attributes }: Pick<PrismaBlock, "attributes">): boolean {
  return attributes.some(({ name }) => name === "ignore");
}

/** The name that `@map` or `@@map` gives in the database; else the models' own. */
function ownName(one: Pick<PrismaBlock, "name" | "attributes">): string {
  return textOf(argumentOf(attributeOf(one, "map"), "name")) ?? one.name;
}

function schemaOf(model: PrismaBlock): string | undefined {
  return textOf(argumentOf(attributeOf(model, "schema"), "map"));
}

/** @throws RocketError `model-invalid` where two are of one name: what one of them hides, the other might show */
function requireOnce<One>(
  all: readonly One[],
  nameOf: (one: One) => string,
  say: (one: One, other: One) => string,
): void {
  const first = new Map<string, One>();
  for (const one of all) {
    const before = first.get(nameOf(one));
    if (before !== undefined) invalidModel(say(before, one));
    first.set(nameOf(one), one);
  }
}

/** The models of Prisma schemas, and what they call the tables, columns and relations of a database. */
class PrismaModels {
  readonly #models: ReadonlyMap<string, PrismaBlock>;
  /** Types that are no columns' of relational databases. */
  readonly #types: ReadonlySet<string>;

  constructor(blocks: readonly PrismaBlock[]) {
    const models = blocks.filter(({ kind }) => kind !== "type");
    requireOnce(
      models,
      ({ name }) => name,
      ({ name }) => `There are two models ${name}: have one of them.`,
    );
    requireOnce(
      models,
      (model) => JSON.stringify([schemaOf(model), ownName(model)]),
      (one, other) =>
        `The models ${one.name} and ${other.name} are both the table "${ownName(one)}": have one of them.`,
    );
    this.#models = new Map(models.map((model) => [model.name, model]));
    this.#types = new Set(blocks.filter(({ kind }) => kind === "type").map(({ name }) => name));
  }

  names(): Names {
    const joins: TableNames[] = [];
    const shown = [...this.#models.values()].filter((model) => !isIgnored(model));
    const relations = shown.flatMap((model) => {
      return this.#relationFields(model).flatMap((field) => this.#relationsBy(field, joins));
    });
    return { tables: [...[...this.#models.values()].map((model) => this.#tableNames(model)), ...joins], relations };
  }

  #tableNames(model: PrismaBlock): TableNames {
    const columns = model.fields.filter(({ type }) => !this.#models.has(type) && !this.#types.has(type));
    requireOnce(
      columns,
      ownName,
      (one, other) =>
        `The fields ${one.name} and ${other.name} of the model ${model.name} are both the column "${ownName(one)}": have one of them.`,
    );
    return {
      title: `the ${model.kind} ${model.name}`,
      table: ownName(model),
      schema: schemaOf(model),
      name: isIgnored(model) ? undefined : model.name,
      columns: new Map(columns.map((field) => [ownName(field), isIgnored(field) ? undefined : field.name])),
    };
  }

  #relationFields(model: PrismaBlock): RelationField[] {
    return model.fields.flatMap((field) => {
      const other = this.#models.get(field.type);
      if (!other || isIgnored(other) || isIgnored(field)) return [];
      const relation = attributeOf(field, "relation");
      return [
        {
          ...{ model, field, name: textOf(argumentOf(relation, "name")) },
          fields: namesIn(relation, "fields"),
          references: namesIn(relation, "references"),
        },
      ];
    });
  }

  /** Both ends of a relation, by the field at the end that has the foreign key, or by the first one where none has. */
  #relationsBy(one: RelationField, joins: TableNames[]): NamedRelation[] {
    const { model, field, name, fields, references } = one;
    const others = this.#relationFields(this.#modelOf(field)).filter((other) => {
      return other.field.type === model.name && other.name === name && other.field !== field;
    });
    const [opposite] = others;
    if (fields.length > 0) {
      const here = { table: model.name, columns: fields };
      const there = { table: field.type, columns: references };
      const back = opposite && { name: opposite.field.name, isOne: !opposite.field.isList };
      return [
        { name: field.name, ...here, references: there, isOne: true },
        ...(back ? [{ ...back, ...there, references: here }] : []),
      ];
    }
    if (!field.isList || !opposite?.field.isList) return [];
    return this.#throughTable(one, opposite, joins);
  }

  /** A relation whose table no model is: `_PostToTag`, with the columns `A` and `B`. */
  #throughTable(one: RelationField, other: RelationField, joins: TableNames[]): NamedRelation[] {
    const isSelf = one.model === other.model;
    const isFirst = isSelf ? one.field.name < other.field.name : one.model.name < other.model.name;
    // The other end's field makes both.
    if (!isFirst) return [];
    const [a, b] = [one.model, other.model];
    const name = `_${one.name ?? `${a.name}To${b.name}`}`;
    const title = `what leads from ${a.name} by ${one.field.name}`;
    joins.push({
      title,
      table: name,
      schema: schemaOf(a),
      name,
      columns: new Map([
        ["A", "A"],
        ["B", "B"],
      ]),
    });
    const ends = [
      { table: a.name, columns: [this.#idOf(a)] },
      { table: b.name, columns: [this.#idOf(b)] },
    ] as const;
    // Where both ends are one model, the first field gives those that stand in A.
    const [near, far] = isSelf ? ["B", "A"] : ["A", "B"];
    return [
      {
        name: one.field.name,
        ...ends[0],
        references: ends[1],
        isOne: false,
        join: { table: name, from: [near], to: [far] },
      },
      {
        name: other.field.name,
        ...ends[1],
        references: ends[0],
        isOne: false,
        join: { table: name, from: [far], to: [near] },
      },
    ];
  }

  #modelOf({ type }: PrismaField): PrismaBlock {
    return this.#models.get(type) ?? invalidModel(`There is no model ${type}.`);
  }

  #idOf(model: PrismaBlock): string {
    const field = model.fields.find((one) => attributeOf(one, "id"));
    return (
      field?.name ??
      invalidModel(`The model ${model.name} has no field with @id, which a list of many on both sides needs.`)
    );
  }
}

/**
 * What the models of Prisma schemas call the tables, columns and relations of a database.
 *
 * @param blocks - those of all files
 * @throws RocketError `model-invalid`
 */
export function namesOfPrisma(blocks: readonly PrismaBlock[]): Names {
  return new PrismaModels(blocks).names();
}
