import type { Session } from "../driver.ts";
import { keySql } from "../journal/sql-shapes.ts";
import { type QueryFacts, readQueryTree } from "./query-tree.ts";

/** What a view shows as it is of the table that its rows are from. */
export interface ViewFacts {
  /** Places of the columns that tell its rows apart, from 0; empty where none do. */
  readonly key: readonly number[];
  /** Places of columns that only the database gives values to. */
  readonly generated: readonly number[];
}

/** A relation that views are from. */
interface Relation {
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
      WHERE a.attrelid = c.oid AND a.attnum > 0 AND (a.attgenerated <> '' OR a.attidentity = 'a'))
  FROM pg_class c WHERE c.oid = ANY ($1::oid[])`;

/** Reads relations, and those that views among them are from. */
async function readRelations(session: Session, oids: readonly string[]): Promise<Map<string, Relation>> {
  const relations = new Map<string, Relation>();
  for (let wanted = [...oids]; wanted.length > 0; ) {
    const rows = await session.query(relationsSql, [`{${wanted.join(",")}}`]);
    wanted = [];
    for (const [oid, action, key, generated] of rows) {
      const query = action == null ? undefined : readQueryTree(action);
      const own = { key: JSON.parse(key ?? "[]") as number[], generated: JSON.parse(generated ?? "[]") as number[] };
      relations.set(oid ?? "", { ...own, query });
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
): Omit<Relation, "query"> {
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
    return [oid, { key: key.map((attribute) => attribute - 1), generated: generated.map((one) => one - 1) }] as const;
  });
  return new Map(facts);
}
