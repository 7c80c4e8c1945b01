/** The types of attributes that a table can hold. */
export type AttributeType =
  | "integer16"
  | "integer32"
  | "integer64"
  | "decimal"
  | "double"
  | "float"
  | "string"
  | "boolean"
  | "date"
  | "binary"
  | "uuid"
  | "uri";

/** What may be stored in an attribute, and what is by itself. */
export interface Bounds {
  /** A number or moment that is the least, or the least length of a text; as it is written. */
  readonly min?: string | undefined;
  readonly max?: string | undefined;
  /** A regular expression that the whole text has to match. */
  readonly pattern?: string | undefined;
  readonly default?: string | undefined;
}

/** An attribute of an entity. Moments are as RFC 3339 has them. */
export interface Attribute extends Bounds {
  readonly name: string;
  readonly type: AttributeType;
  readonly isOptional: boolean;
}

/** What becomes of the records that a relationship leads to when the one that it leads from is deleted. */
export type DeletionRule = "nullify" | "cascade" | "deny" | "none";

/** A relationship from an entity to another one. */
export interface Relationship {
  readonly name: string;
  readonly to: string;
  readonly isToMany: boolean;
  readonly isOptional: boolean;
  readonly isOrdered: boolean;
  readonly rule: DeletionRule;
  /** The relationship of the other entity that leads back. */
  readonly inverse: string | undefined;
}

/** An entity, with what it has from the entities that it is a kind of. */
export interface Entity {
  readonly name: string;
  readonly isAbstract: boolean;
  readonly parent: string | undefined;
  readonly attributes: readonly Attribute[];
  readonly relationships: readonly Relationship[];
  /** Names of attributes and relationships whose values together no two records share. */
  readonly unique: readonly (readonly string[])[];
  /** Names of attributes and relationships by which records are looked for. */
  readonly indexes: readonly (readonly string[])[];
}

/** A model of data: entities in their order, and what of them can't be kept, in sentences. */
export interface Model {
  readonly entities: readonly Entity[];
  readonly notes: readonly string[];
}
