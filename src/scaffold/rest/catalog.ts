import type { ServedSchema, ServedTable } from "../engine/table.ts";
import { Relations } from "./relations.ts";
import { type Resource, resourceOf } from "./resource.ts";

/** The resources of a database, by name. */
export interface Catalog {
  /** What stands before the resources' names in URLs: nothing, or `/api`. */
  readonly basePath: string;
  readonly resources: ReadonlyMap<string, Resource>;
  /** How their tables are related, whatever else there is. */
  readonly relations: Relations;
  /** The tables that the viewer may not read. */
  readonly denied: ReadonlySet<string>;
  /** Of these, those that it may add records to. */
  readonly unseen: ReadonlyMap<string, Resource>;
  /** What is there and not served, by name, with the reason: a clause for a person. */
  readonly leftOut: ReadonlyMap<string, string>;
}

/** Which tables are served, by name, and where. */
export interface IsServed {
  (table: string): boolean;
  /** What stands before a table's name in URLs: nothing, or `/api`. */
  readonly basePath: string;
}

/** Whether a table's rows can be JSON objects that every program can hold. */
function isServable({ members }: ServedTable): boolean {
  return !members.some(({ name }) => name === "__proto__");
}

function createCatalog(schema: ServedSchema, isServed: IsServed): Catalog {
  const { tables, leftOut, foreignKeys, relations, denied = [], unseen = [] } = schema;
  const asked = tables.filter(({ name }) => isServed(name));
  const servable = asked.filter(isServable);
  const unservable = asked.filter((table) => !isServable(table));
  const proto = 'it has a column "__proto__", which not every program can hold';
  const { basePath } = isServed;
  return {
    basePath,
    resources: new Map(servable.map((table) => [table.name, resourceOf(table, basePath)])),
    relations: new Relations({ tables: servable, foreignKeys, ...(relations ? { relations } : {}) }),
    denied: new Set(denied.filter((name) => isServed(name))),
    unseen: new Map(
      unseen.filter((table) => isServed(table.name)).map((table) => [table.name, resourceOf(table, basePath)]),
    ),
    leftOut: new Map([
      ...leftOut.filter(({ name }) => isServed(name)).map(({ name, reason }) => [name, reason] as const),
      ...unservable.map(({ name }) => [name, proto] as const),
    ]),
  };
}

const catalogs = new WeakMap<ServedSchema, Catalog>();

/** The resources of a schema that `isServed` lets through; the same catalog each time. */
export function catalogOf(schema: ServedSchema, isServed: IsServed): Catalog {
  let catalog = catalogs.get(schema);
  if (!catalog) {
    catalog = createCatalog(schema, isServed);
    catalogs.set(schema, catalog);
  }
  return catalog;
}
