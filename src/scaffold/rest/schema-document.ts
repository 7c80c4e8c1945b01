import { type Field, wellKnownPath } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import { type ForeignKey, hasKey, keyMembers, type Member } from "../engine/table.ts";
import type { ValueType } from "../engine/value-type.ts";
import { requireJsonAccepted } from "./accept.ts";
import { type Action, allowedMethods, type Writable } from "./actions.ts";
import type { Catalog } from "./catalog.ts";
import { Refusal } from "./refusal.ts";
import type { Resource } from "./resource.ts";
import type { Target } from "./target.ts";

/** What kind of JSON a column's values are: what an editor has to offer. */
type Kind = "boolean" | "number" | "text" | "bytes" | "json";

/** What of the service decides what may be done. */
export interface SchemaRules {
  readonly actions: ReadonlySet<Action>;
  readonly canWrite: boolean;
  /** Those between the viewer's tables. */
  readonly foreignKeys: readonly ForeignKey[];
}

const path = `${wellKnownPath}/schema`;

/** Whether a target is where the schema is told: `/.well-known/rocket/schema` below the base path. */
export function isSchemaTarget(basePath: string, { segments }: Target): boolean {
  return `/${segments.join("/")}` === basePath + path;
}

function takes(type: ValueType, json: unknown): boolean {
  const decoded = type.fromJson(json);
  return "value" in decoded && decoded.value !== null;
}

function kindOf(type: ValueType): Kind {
  if (type.holdsJson) return "json";
  if (type.comparison === "bytes") return "bytes";
  if (takes(type, true)) return "boolean";
  return takes(type, 1) && !takes(type, "a") ? "number" : "text";
}

/** Where a column's value names a record of a collection: by a foreign key of this column alone. */
function referenceOf(table: string, column: string, { resources }: Catalog, keys: readonly ForeignKey[]): object {
  for (const { table: from, columns, references } of keys) {
    const there = resources.get(references.table);
    if (from !== table || columns.length !== 1 || columns[0] !== column || !there) continue;
    return { references: { url: there.path, column: references.columns[0] } };
  }
  return {};
}

/** The lists whose records name records of a table: by which columns there, and which here. */
function referrersOf(table: string, { resources }: Catalog, keys: readonly ForeignKey[]): object[] {
  return keys.flatMap(({ table: from, columns, references }) => {
    const there = resources.get(from);
    if (references.table !== table || !there) return [];
    const pairs = columns.map((column, at) => [column, references.columns[at]]);
    return [{ name: from, url: there.path, columns: Object.fromEntries(pairs) }];
  });
}

function describeCollection({ table, path, singular }: Resource, catalog: Catalog, rules: SchemaRules): object {
  const { actions, canWrite, foreignKeys } = rules;
  const describeColumn = ({ name, type, nulls, generated }: Member): object => ({
    ...{ name, type: type.name, kind: kindOf(type), nullable: nulls !== "none", generated },
    ...referenceOf(table.name, name, catalog, foreignKeys),
  });
  const writable: Writable = { writes: canWrite ? table.writes : [], hasKey: hasKey(table) };
  return {
    name: table.name,
    url: path,
    record: singular,
    key: keyMembers(table).map(({ name }) => name),
    columns: table.members.map(describeColumn),
    referrers: referrersOf(table.name, catalog, foreignKeys),
    methods: {
      collection: allowedMethods(actions, "collection", writable),
      record: writable.hasKey ? allowedMethods(actions, "record", writable) : [],
    },
  };
}

/**
 * What there is to read and write for one viewer: its collections, with columns, keys and methods. For pages and tools that
 * are made for any database.
 *
 * @throws Refusal 405, 406
 */
export function answerSchema(request: OriginRequest, catalog: Catalog, rules: SchemaRules): OriginResponse {
  const allow: Field = ["Allow", "GET, HEAD, OPTIONS"];
  if (request.method === "OPTIONS") return { status: 204, fields: [allow], body: "" };
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new Refusal(405, `The schema is read by GET; ${allow[1]} are allowed here.`, { fields: [allow] });
  }
  requireJsonAccepted(request.fields);
  const collections = [...catalog.resources.values()].map((resource) => describeCollection(resource, catalog, rules));
  const fields: Field[] = [
    ["Content-Type", "application/json"],
    ["Cache-Control", "no-store"],
  ];
  return { status: 200, fields, body: request.method === "HEAD" ? "" : JSON.stringify({ collections }) };
}
