import { invalidModel } from "./core-data.ts";
import type { DeletionRule, Entity, Relationship } from "./model.ts";

/** How two entities hang together: by a foreign key of one, or by a table between them. */
export type Tie =
  | {
      readonly kind: "key";
      /** The entity that has the foreign key, and the one that it names. */
      readonly from: string;
      readonly to: string;
      /** What the column is named by. */
      readonly name: string;
      readonly isOptional: boolean;
      readonly isUnique: boolean;
      /** What becomes of it when the other is deleted. */
      readonly rule: DeletionRule;
      /** The relationship that it is, of the entity that has it; `undefined` where only the other has one. */
      readonly relationship: string | undefined;
    }
  | {
      readonly kind: "join";
      readonly from: string;
      readonly to: string;
      readonly relationship: Relationship;
      readonly inverse: Relationship | undefined;
    };

/** One end of a relationship. */
interface End {
  readonly entity: Entity;
  readonly relationship: Relationship;
}

/** Of two that have one of each other, the one that has the foreign key: who needs the other, else who goes with it. */
function holderOf(one: End, other: End): readonly [holder: End, other: End] {
  const isFirst =
    one.relationship.isOptional === other.relationship.isOptional
      ? other.relationship.rule === "cascade"
      : !one.relationship.isOptional;
  return isFirst ? [one, other] : [other, one];
}

function keyOf({ entity, relationship }: End, rule: DeletionRule, isUnique: boolean): Tie {
  const { name, to, isOptional } = relationship;
  return { kind: "key", from: entity.name, to, name, isOptional, isUnique, rule, relationship: name };
}

function tieOf(end: End, inverse: End | undefined): Tie {
  const { entity, relationship } = end;
  if (!inverse) {
    if (!relationship.isToMany) return keyOf(end, "nullify", false);
    const { to, rule } = relationship;
    const name = `${entity.name}_${relationship.name}`;
    return {
      kind: "key",
      from: to,
      to: entity.name,
      name,
      isOptional: true,
      isUnique: false,
      rule,
      relationship: undefined,
    };
  }
  if (relationship.isToMany && inverse.relationship.isToMany)
    return { kind: "join", from: entity.name, to: relationship.to, relationship, inverse: inverse.relationship };
  if (relationship.isToMany) return keyOf(inverse, relationship.rule, false);
  if (inverse.relationship.isToMany) return keyOf(end, inverse.relationship.rule, false);
  const [holder, other] = holderOf(end, inverse);
  return keyOf(holder, other.relationship.rule, true);
}

/** What a foreign key or a table between does not do of a relationship, in sentences. */
function notesOf({ entity, relationship }: End, tie: Tie): string[] {
  const { name, isOrdered, rule, isToMany } = relationship;
  const place = `${entity.name}.${name}`;
  const isHolder = tie.kind === "key" && tie.from === entity.name && tie.relationship === name;
  const isJoinCascade = tie.kind === "join" && rule === "cascade";
  return [
    ...(isOrdered ? [`The order of ${place} is not kept.`] : []),
    ...((isHolder && (rule === "cascade" || rule === "deny")) || isJoinCascade
      ? [`The deletion rule of ${place} (${rule}) is not kept: no foreign key does that.`]
      : []),
    ...(isToMany && !relationship.isOptional ? [`That ${place} is never empty is not checked.`] : []),
  ];
}

/**
 * How entities hang together by their relationships, each once.
 *
 * @param notes - gets what is not kept of them
 * @throws RocketError `model-invalid`
 */
export function tiesOf(entities: readonly Entity[], notes: string[]): Tie[] {
  const byName = new Map(entities.map((entity) => [entity.name, entity]));
  const parents = new Set(entities.flatMap(({ parent }) => parent ?? []));
  const done = new Set<Relationship>();
  const ties: Tie[] = [];
  for (const entity of entities) {
    for (const relationship of entity.relationships) {
      const end = { entity, relationship };
      const place = `${entity.name}.${relationship.name}`;
      const target = byName.get(relationship.to);
      if (parents.has(relationship.to))
        return invalidModel(
          `${place} leads to ${relationship.to}, whose records are in several tables: no foreign key can name them.`,
        );
      if (!target) return invalidModel(`${place} leads to ${relationship.to}, which is no entity that has records.`);
      const back = target.relationships.find(({ name }) => name === relationship.inverse);
      if (back && parents.has(back.to))
        return invalidModel(
          `${target.name}.${back.name} leads to ${back.to}, whose records are in several tables: no foreign key can name them.`,
        );
      if (relationship.inverse !== undefined && back?.to !== entity.name)
        return invalidModel(
          `${place} has the inverse ${relationship.inverse}, which ${target.name} has not, or not to ${entity.name}.`,
        );
      const tie = tieOf(end, back && { entity: target, relationship: back });
      notes.push(...notesOf(end, tie));
      if (!done.has(relationship)) ties.push(tie);
      done.add(relationship);
      if (back) done.add(back);
    }
  }
  return ties;
}
