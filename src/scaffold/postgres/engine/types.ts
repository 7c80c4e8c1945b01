import type { Row, Session } from "../driver.ts";
import type { ColumnType } from "../table.ts";

const typesSql = `SELECT t.oid, CASE WHEN n.nspname = 'pg_catalog' THEN t.typname END, t.typtype::text, t.typbasetype,
    t.typelem, t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1, t.typdelim::text, t.typname,
    CASE t.typtype WHEN 'e' THEN (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace`;

function describe(rows: ReadonlyMap<string, Row>, oid: string): ColumnType {
  const [, own, kind, base, element, isArray, delimiter, name, labels] = rows.get(oid) ?? [];
  if (kind === "d" && base != null && base !== "0") return describe(rows, base);
  if (isArray === "t") return { kind: "array", delimiter: delimiter ?? ",", element: describe(rows, element ?? "") };
  if (own != null) return { kind: own };
  return { kind: "other", name: name ?? "", ...(labels == null ? {} : { labels: JSON.parse(labels) as string[] }) };
}

/** Reads all types; gives what tells one by its number: more than the journal's own descriptions have. */
export async function readTypes(session: Session): Promise<(oid: string) => ColumnType> {
  const rows = new Map((await session.query(typesSql)).map((row) => [row[0] ?? "", row]));
  return (oid) => describe(rows, oid);
}
