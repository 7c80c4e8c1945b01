/** A constraint or unique index by its name, and its columns. */
export interface Rule {
  readonly name: string;
  readonly columns: readonly string[];
  /** Whether no two rows have the same values in the columns, unless one of these is NULL. */
  readonly isUnique: boolean;
  /** What a foreign key names; `undefined` for what is none. */
  readonly references?:
    | { readonly schema: string; readonly name: string; readonly columns: readonly string[] }
    | undefined;
}

/** The names of columns in the order of their numbers. */
function namesOf(relation: string, numbers: string): string {
  return `(SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]') FROM unnest(${numbers}) WITH ORDINALITY k (attnum, place)
      JOIN pg_attribute a ON a.attrelid = ${relation} AND a.attnum = k.attnum)`;
}

/** The rules of a relation `c`, as JSON: unique indexes as well, which need not be constraints. */
export const rulesSql: string = `SELECT json_agg(json_strip_nulls(json_build_object('name', r.name, 'isUnique', r.isunique, 'columns', ${namesOf("c.oid", "r.columns")},
    'references', (SELECT json_build_object('schema', s.nspname, 'name', f.relname, 'columns', ${namesOf("f.oid", "r.referred")})
      FROM pg_class f JOIN pg_namespace s ON s.oid = f.relnamespace WHERE f.oid = r.other))) ORDER BY r.oid)
  FROM (
    SELECT oid, conname AS name, contype IN ('p', 'u') AS isunique, conkey AS columns, CASE WHEN conparentid = 0 THEN nullif(confrelid, 0) END AS other, confkey AS referred
    FROM pg_constraint WHERE conrelid = c.oid
    UNION ALL
    SELECT x.oid, x.relname, i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL, i.indkey::int2[], NULL, NULL FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND i.indisunique
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND conindid = i.indexrelid AND contype IN ('p', 'u', 'x'))) r`;
