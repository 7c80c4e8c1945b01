import { type Field, wellKnownPath } from "../../protocol/index.ts";
import type { OriginRequest, OriginResponse } from "../../server/index.ts";
import type { Snapshot } from "../engine/snapshot.ts";
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
  /** Whether the viewer is nobody, and others may be told otherwise. */
  readonly isAnonymous: boolean;
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
  if (type.holdsJson || (takes(type, []) && !takes(type, "a"))) return "json";
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

/** Tells collections to one viewer. */
class Describer {
  readonly #snapshot: Snapshot;
  readonly #catalog: Catalog;
  readonly #rules: SchemaRules;

  constructor(snapshot: Snapshot, catalog: Catalog, rules: SchemaRules) {
    this.#snapshot = snapshot;
    this.#catalog = catalog;
    this.#rules = rules;
  }

  /** All that the viewer may read, then those that it may add records to, and not read. */
  collections(): object[] {
    const { resources, unseen } = this.#catalog;
    const readable = [...resources.values()].map((resource) => this.#collection(resource, "collection"));
    const mayCreate = this.#rules.canWrite && this.#rules.actions.has("create");
    const others = [...unseen.values()].filter(({ table }) => this.#snapshot.permits(table).writes.includes("create"));
    return [...readable, ...(mayCreate ? others.map((resource) => this.#collection(resource, "unseen")) : [])];
  }

  #collection({ table, path, singular }: Resource, place: "collection" | "unseen"): object {
    const { foreignKeys } = this.#snapshot.schema;
    const { create, update, writes } = this.#snapshot.permits(table);
    const methods = this.#methods(place, { writes: this.#rules.canWrite ? writes : [], hasKey: hasKey(table) });
    const mayCreate = methods.collection.includes("POST");
    const mayUpdate = methods.record.includes("PATCH");
    const rightsTo = (member: Member): string[] => [
      ...(mayCreate && create.has(member) ? ["create"] : []),
      ...(mayUpdate && update.has(member) ? ["update"] : []),
    ];
    const describe = (member: Member, may: readonly string[]): object => ({
      ...describeMember(member),
      may,
      ...referenceOf(table.name, member.name, this.#catalog, foreignKeys),
    });
    const [read, others] = place === "collection" ? [table.members, []] : [[], table.members];
    const unread = [...others, ...(table.unread ?? [])].filter((member) => rightsTo(member).length > 0);
    return {
      name: table.name,
      url: path,
      record: singular,
      key: keyMembers(table).map(({ name }) => name),
      columns: read.map((member) => describe(member, ["read", ...rightsTo(member)])),
      unread: unread.map((member) => describe(member, rightsTo(member))),
      referrers: referrersOf(table.name, this.#catalog, foreignKeys),
      methods,
    };
  }

  #methods(
    place: "collection" | "unseen",
    writable: Writable,
  ): { readonly collection: readonly string[]; readonly record: readonly string[] } {
    const { actions } = this.#rules;
    const hasRecords = place === "collection" && writable.hasKey;
    return {
      collection: allowedMethods(actions, place, writable),
      record: hasRecords ? allowedMethods(actions, "record", writable) : [],
    };
  }
}

function describeMember({ name, type, nulls, generated, hasDefault = false, listed }: Member): object {
  const kind = kindOf(type);
  const isOfKind = listed?.every((one) => typeof one === (kind === "text" ? "string" : kind)) === true;
  const values = type.values ?? (isOfKind ? listed : undefined);
  return {
    ...{ name, type: type.name, kind, nullable: nulls !== "none", generated, hasDefault },
    ...(values ? { values } : {}),
  };
}

/**
 * What there is to read and write for one viewer: its collections, with columns, keys and methods, as far as no record has to
 * be looked at. For pages and tools that are made for any database.
 *
 * @throws Refusal 405, 406
 */
export function answerSchema(
  request: OriginRequest,
  snapshot: Snapshot,
  catalog: Catalog,
  rules: SchemaRules,
): OriginResponse {
  const allow: Field = ["Allow", "GET, HEAD, OPTIONS"];
  if (request.method === "OPTIONS") return { status: 204, fields: [allow], body: "" };
  if (request.method !== "GET" && request.method !== "HEAD") {
    throw new Refusal(405, `The schema is read by GET; ${allow[1]} are allowed here.`, { fields: [allow] });
  }
  requireJsonAccepted(request.fields);
  const collections = new Describer(snapshot, catalog, rules).collections();
  const fields: Field[] = [
    ["Content-Type", "application/json"],
    ["Cache-Control", "no-store"],
  ];
  return {
    status: 200,
    fields,
    body: request.method === "HEAD" ? "" : JSON.stringify({ anonymous: rules.isAnonymous, collections }),
  };
}
