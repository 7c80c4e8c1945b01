import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { RocketError } from "../../protocol/index.ts";
import type { Attribute, AttributeType, Bounds, DeletionRule, Entity, Model, Relationship } from "./model.ts";

const types: Readonly<Record<string, AttributeType>> = {
  "Integer 16": "integer16",
  "Integer 32": "integer32",
  "Integer 64": "integer64",
  Decimal: "decimal",
  Double: "double",
  Float: "float",
  String: "string",
  Boolean: "boolean",
  Date: "date",
  Binary: "binary",
  UUID: "uuid",
  URI: "uri",
  // An object of the application's own, as bytes.
  Transformable: "binary",
};

const rules: Readonly<Record<string, DeletionRule>> = {
  Nullify: "nullify",
  Cascade: "cascade",
  Deny: "deny",
  "No Action": "none",
};

/** Moments are counted from the first of January 2001. */
const epochMs = Date.UTC(2001, 0, 1);

/** @throws RocketError `model-invalid` */
export function invalidModel(detail: string, cause?: unknown): never {
  throw new RocketError("model-invalid", detail, { cause });
}

/** The element that an XML text is. @throws RocketError `model-invalid` */
export function readXml(text: string, what: string): XmlElement {
  try {
    const { root } = parseXml(text);
    if (root) return root;
  } catch (error) {
    invalidModel(
      `${what} is no XML that can be read: ${error instanceof Error ? error.message.split("\n")[0] : error}.`,
      error,
    );
  }
  return invalidModel(`${what} is empty.`);
}

/** The elements of a name right below another one. */
export function elementsOf(parent: XmlElement, name: string): XmlElement[] {
  return parent.children.filter((child): child is XmlElement => child instanceof XmlElement && child.name === name);
}

function isYes({ attributes }: XmlElement, name: string): boolean {
  return attributes[name] === "YES";
}

function momentOf(seconds: string | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  const moment = new Date(epochMs + Number(seconds) * 1_000);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}

function boundsOf({ attributes }: XmlElement, type: AttributeType): Bounds {
  if (type === "date") {
    return {
      min: momentOf(attributes.minDateTimeInterval),
      max: momentOf(attributes.maxDateTimeInterval),
      default: momentOf(attributes.defaultDateTimeInterval),
    };
  }
  const { minValueString: min, maxValueString: max, defaultValueString, regularExpressionString: pattern } = attributes;
  return { min, max, pattern, default: defaultValueString };
}

function nameOf(element: XmlElement, place: string): string {
  return element.attributes.name || invalidModel(`The model has ${place} without a name.`);
}

class EntityReader {
  readonly notes: string[] = [];

  read(element: XmlElement): Entity {
    const name = nameOf(element, "an entity");
    const lists = (outer: string, list: string, one: string, member: string): string[][] =>
      elementsOf(element, outer)
        .flatMap((group) => (list === "" ? [group] : elementsOf(group, list)))
        .map((group) => elementsOf(group, one).map(({ attributes }) => attributes[member] ?? ""));
    return {
      name,
      isAbstract: isYes(element, "isAbstract"),
      parent: element.attributes.parentEntity,
      attributes: elementsOf(element, "attribute").flatMap((one) => this.#attribute(one, name)),
      relationships: elementsOf(element, "relationship").flatMap((one) => this.#relationship(one, name)),
      unique: lists("uniquenessConstraints", "uniquenessConstraint", "constraint", "value"),
      indexes: [
        // As models had them before there were fetch indexes.
        ...elementsOf(element, "attribute").flatMap((one) =>
          isYes(one, "indexed") ? [[one.attributes.name ?? ""]] : [],
        ),
        ...lists("fetchIndex", "", "fetchIndexElement", "property").filter((names) => !names.includes("")),
      ],
    };
  }

  #attribute(element: XmlElement, entity: string): Attribute[] {
    const name = nameOf(element, `an attribute of ${entity}`);
    if (isYes(element, "transient")) return [];
    const typeName = element.attributes.attributeType ?? "";
    const type = Object.hasOwn(types, typeName) ? types[typeName] : undefined;
    const trouble = isYes(element, "derived")
      ? "is derived"
      : type
        ? undefined
        : `has the type ${typeName || "Undefined"}`;
    if (trouble !== undefined || !type) {
      this.notes.push(`${entity}.${name} ${trouble}, so it is left out.`);
      return [];
    }
    return [{ name, type, isOptional: isYes(element, "optional"), ...boundsOf(element, type) }];
  }

  #relationship(element: XmlElement, entity: string): Relationship[] {
    const name = nameOf(element, `a relationship of ${entity}`);
    const { destinationEntity: to, deletionRule, inverseName, minCount, maxCount } = element.attributes;
    if (isYes(element, "transient")) return [];
    if (!to) return invalidModel(`${entity}.${name} leads to no entity.`);
    const isToMany = isYes(element, "toMany");
    if (isToMany && (Number(minCount ?? 0) > 0 || Number(maxCount ?? 0) > 0))
      this.notes.push(`How many ${entity}.${name} there may be is not checked.`);
    return [
      {
        ...{ name, to, isToMany },
        isOptional: isYes(element, "optional"),
        isOrdered: isYes(element, "ordered"),
        rule: rules[deletionRule ?? ""] ?? "nullify",
        inverse: inverseName || undefined,
      },
    ];
  }
}

/**
 * Reads what Xcode writes of a Core Data model: the file `contents` of an `.xcdatamodel`.
 *
 * @throws RocketError `model-invalid`
 */
export function readCoreData(text: string): Model {
  const root = readXml(text, "The model");
  if (root.name !== "model") invalidModel(`The model's XML begins with <${root.name}>, not with <model>.`);
  const reader = new EntityReader();
  const entities = elementsOf(root, "entity").map((element) => reader.read(element));
  if (entities.length === 0) invalidModel("The model has no entities.");
  const names = new Set(entities.map(({ name }) => name));
  if (names.size < entities.length) invalidModel("The model has two entities of one name.");
  return { entities, notes: reader.notes };
}
