import type { Session } from "../driver.ts";
import { keySql } from "../journal/sql-shapes.ts";
import { type QueryFacts, readQueryTree } from "./query-tree.ts";
import { type Rule, rulesSql } from "./rules-sql.ts";

/** The table that each row of a view is from. */
export interface BaseTable {
  readonly schema: string;
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** What a view shows as it is of the table that its rows are from. */
export interface ViewFacts {
  /** That table; absent where there is no such one. */
  readonly base?: BaseTable;
  /** Its columns, by name, that the view shows as they are, and their places there, from 0. */
  readonly shown: ReadonlyMap<string, number>;
  /** Places of the columns that tell its rows apart, from 0; empty where none do. */
  readonly key: readonly number[];
  /** Places of columns that only the database gives values to. */
  readonly generated: readonly number[];
}

/** A relation that views are from. */
interface Relation {
  readonly schema: string;
  readonly name: string;
  readonly rules: readonly Rule[];
  /** The names of the attributes, by their numbers. */
  readonly names: ReadonlyMap<number, string>;
  /** Of a table: the attributes of its key. */
  readonly key: readonly number[];
  readonly generated: readonly number[];
  /** Of a view: its query. */
  readonly query: QueryFacts | undefined;
}

const relationsSql = `SELECT c.oid, (SELECT r.ev_action::text FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.ev_type = '1' AND c.relkind = 'v'),
    (SELECT json_agg(k.attnum ORDER BY k.place) FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
      WHERE i.indexrelid = (${keySql("c.oid")}) AND k.place <= i.indnkeyatts),
    (SELECT json_agg(a.attnum) FROM pg_attribute a
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND (a.attgenerated <> '' OR a.attidentity = 'a')),
    n.nspname, c.relname, (${rulesSql}),
    (SELECT json_agg(json_build_array(a.attnum, a.attname)) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[])`;

/** Reads relations, and those that views among them are from. */
async function readRelations(session: Session, oids: readonly string[]): Promise<Map<string, Relation>> {
  const relations = new Map<string, Relation>();
  for (let wanted = [...oids]; wanted.length > 0; ) {
    const rows = await session.query(relationsSql, [`{${wanted.join(",")}}`]);
    wanted = [];
    for (const [oid, action, key, generated, schema, name, rules, names] of rows) {
      const query = action == null ? undefined : readQueryTree(action);
      const own = { key: JSON.parse(key ?? "[]") as number[], generated: JSON.parse(generated ?? "[]") as number[] };
      const called = { schema: schema ?? "", name: name ?? "", rules: JSON.parse(rules ?? "[]") as Rule[] };
      relations.set(oid ?? "", { ...own, ...called, query, names: new Map(JSON.parse(names ?? "[]")) });
      if (query?.relation !== undefined && !relations.has(query.relation)) wanted.push(query.relation);
    }
  }
  return relations;
}

/**
 * Attributes of a relation: its key, and what only the database gives. Those of a view are from what it is from.
 *
 * @param above - the views that led here: PostgreSQL lets one be made of itself
 */
function attributesOf(
  oid: string,
  relations: ReadonlyMap<string, Relation>,
  above: readonly string[] = [],
): Pick<Relation, "key" | "generated"> {
  const relation = relations.get(oid);
  const { query } = relation ?? {};
  if (!relation || !query) return relation ?? { key: [], generated: [] };
  if (query.relation === undefined || above.includes(oid)) return { key: [], generated: [] };
  const from = query.relation;
  const behind = attributesOf(from, relations, [...above, oid]);
  const placeOf = (attribute: number): number =>
    query.columns.findIndex((column) => column.relation === from && column.attribute === attribute) + 1;
  const key = behind.key.map(placeOf);
  return {
    key: key.includes(0) ? [] : key,
    generated: behind.generated.map(placeOf).filter((attribute) => attribute > 0),
  };
}

/** The table that a view's rows are from, and where the view shows its attributes, from 1, by their numbers. */
function baseOf(
  oid: string,
  relations: ReadonlyMap<string, Relation>,
  above: readonly string[] = [],
): { readonly table: Relation; readonly places: ReadonlyMap<number, number> } | undefined {
  const { query } = relations.get(oid) ?? {};
  const from = query?.relation;
  const under = from === undefined || above.includes(oid) ? undefined : relations.get(from);
  if (!query || !under) return undefined;
  const shown = new Map<number, number>();
  query.columns.forEach(({ relation, attribute }, at) => {
    if (relation === from && !shown.has(attribute)) shown.set(attribute, at + 1);
  });
  if (!under.query) return { table: under, places: shown };
  const behind = baseOf(from ?? "", relations, [...above, oid]);
  if (!behind) return undefined;
  const places = [...behind.places].flatMap(([attribute, between]) => {
    const own = shown.get(between);
    return own === undefined ? [] : [[attribute, own] as const];
  });
  return { table: behind.table, places: new Map(places) };
}

function baseFacts(oid: string, relations: ReadonlyMap<string, Relation>): Pick<ViewFacts, "base" | "shown"> {
  const found = baseOf(oid, relations);
  if (!found) return { shown: new Map() };
  const { schema, name, rules, names } = found.table;
  const shown = [...found.places].map(([attribute, place]) => [names.get(attribute) ?? "", place - 1] as const);
  return { base: { schema, name, rules }, shown: new Map(shown) };
}

/**
 * What tells the rows of views apart, where each is from one table and has its key: as the catalogue has their queries.
 *
 * @param oids - of the views
 */
export async function readViewFacts(
  session: Session,
  oids: readonly string[],
): Promise<ReadonlyMap<string, ViewFacts>> {
  const relations = await readRelations(session, oids);
  const facts = oids.map((oid) => {
    const { key, generated } = attributesOf(oid, relations);
    const places = { key: key.map((attribute) => attribute - 1), generated: generated.map((one) => one - 1) };
    return [oid, { ...places, ...baseFacts(oid, relations) }] as const;
  });
  return new Map(facts);
}
