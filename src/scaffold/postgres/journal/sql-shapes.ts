import { fixedPlans } from "./sql-notes.ts";

/** The index that tells a table's rows apart: its primary key, else a unique one over columns that are never null. What is included beside them does not count. */
export function keySql(table: string): string {
  return `SELECT i.indexrelid FROM pg_index i
  WHERE i.indrelid = ${table} AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    AND NOT EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
      JOIN pg_attribute a ON a.attrelid = ${table} AND a.attnum = k.attnum
      WHERE k.place <= i.indnkeyatts AND NOT a.attnotnull)
  ORDER BY i.indisprimary DESC, i.indexrelid LIMIT 1`;
}

/**
 * A table and its partitions. PostgreSQL's own function for that locks them, and would wait behind whoever alters one.
 *
 * @param table - its oid, as an expression
 */
export function partsSql(table: string): string {
  return `WITH RECURSIVE parts (oid) AS (SELECT (${table})::oid UNION
    SELECT h.inhrelid FROM parts JOIN pg_inherits h ON h.inhparent = parts.oid JOIN pg_class c ON c.oid = h.inhrelid
    WHERE c.relispartition) SELECT oid FROM parts`;
}

/** What a table's own rows in the catalogue say. @param rel - its oid, as an expression */
function ownPrintSql(rel: string): string {
  return `(SELECT concat_ws(' ', c.oid, c.relname, n.nspname, c.relkind, c.relpersistence,
    c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, n.nspacl,
    (SELECT string_agg(concat(a.attnum, ':', a.xmin), ' ' ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0),
    (SELECT string_agg(concat(t.tgname, ':', t.tgenabled, t.xmin), ' ' ORDER BY t.tgname)
      FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname LIKE '!rocket%'))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ${rel})`;
}

/** The columns of a table whose types are not PostgreSQL's own. @param rel - its oid, as an expression */
function withOtherTypes(rel: string): string {
  return `FROM pg_attribute a WHERE a.attrelid = ${rel} AND a.attnum > 0 AND a.atttypid >= 16384`;
}

/** All types that the columns are made of, however deep, but PostgreSQL's own: a WITH clause that calls them `types`. */
function typesSql(rel: string): string {
  return `WITH RECURSIVE types (oid) AS (
    SELECT a.atttypid ${withOtherTypes(rel)}
    UNION SELECT part.oid FROM types JOIN pg_type t ON t.oid = types.oid, LATERAL (
      SELECT t.typelem UNION ALL SELECT t.typbasetype
      UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0
      UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE t.oid IN (r.rngtypid, r.rngmultitypid)) part (oid)
    WHERE part.oid >= 16384)`;
}

/** The labels and attributes of these types: those of PostgreSQL itself stay as they are. */
function typesPrintSql(rel: string): string {
  return `(${typesSql(rel)}
  SELECT concat_ws(' ',
    (SELECT string_agg(concat(e.oid, ':', e.xmin), ' ' ORDER BY e.oid) FROM types JOIN pg_enum e ON e.enumtypid = types.oid),
    (SELECT string_agg(concat(t.oid, '.', a.attnum, ':', a.xmin), ' ' ORDER BY t.oid, a.attnum) FROM types
      JOIN pg_type t ON t.oid = types.oid AND t.typrelid <> 0 JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0)))`;
}

function keyPrintSql(rel: string): string {
  return `(SELECT concat(i.indexrelid, ':', i.indkey::text, i.indimmediate) FROM pg_index i WHERE i.indexrelid = (${keySql(rel)}))`;
}

function otherTypesSql(rel: string, types: string): string {
  return `CASE WHEN EXISTS (SELECT ${withOtherTypes(rel)}) THEN ${types} END`;
}

/**
 * As {@link printSql}, of a table without partitions that is none: the same text, from fewer questions. PostgreSQL prepares
 * for each of them whether it is asked or not.
 *
 * @param rel - its oid, as an expression
 */
function plainPrintSql(rel: string): string {
  return `concat_ws(' / ', ${ownPrintSql(rel)}, ${keyPrintSql(rel)}, ${otherTypesSql(rel, `rocket.types_print(${rel})`)},
    (SELECT string_agg(concat(${rel}, ':', h.xmin), ' ') FROM (SELECT 1) one LEFT JOIN pg_inherits h ON h.inhrelid = ${rel}))`;
}

/**
 * The print of a table, as an expression over `looked`, which has its oid and its root's. To call functions for each table
 * would cost several times as much.
 *
 * @param types - the print of its types, asked for only where they are not all PostgreSQL's own
 */
function printSql(types: string): string {
  return `CASE WHEN EXISTS (SELECT FROM pg_class c WHERE c.oid = looked.rel) THEN concat_ws(' / ',
    ${ownPrintSql("looked.rel")}, CASE WHEN looked.root <> looked.rel THEN ${ownPrintSql("looked.root")} END,
    ${keyPrintSql("looked.root")}, ${otherTypesSql("looked.rel", types)},
    (SELECT string_agg(concat(part.oid, ':', h.xmin), ' ' ORDER BY part.oid)
      FROM (${partsSql("looked.root")}) part LEFT JOIN pg_inherits h ON h.inhrelid = part.oid),
    (SELECT string_agg(concat(h.inhrelid, ':', h.xmin), ' ' ORDER BY h.inhrelid) FROM pg_inherits h WHERE h.inhparent = looked.root)) END`;
}

/**
 * What a table looks like. The text of a row has no names, so each row of the journal refers to a description of the table
 * at that moment. A print is what a description depends on, and costs little to compare: while it is the same, nobody has
 * altered the table, switched its triggers off, or moved its partitions, not even for a moment. Who may read it counts, too:
 * what is told of its rows was decided by that.
 */
export const shapesSql: string = `
CREATE FUNCTION rocket.root_of(rel oid) RETURNS oid LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN (SELECT coalesce(pg_partition_root(rel)::oid, rel));
END $$;

CREATE FUNCTION rocket.parts_of(rel oid) RETURNS SETOF oid LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN QUERY ${partsSql("rel")};
END $$;

CREATE FUNCTION rocket.home_of(rel oid) RETURNS oid LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN (SELECT coalesce((SELECT root FROM rocket.shape WHERE relid = rel AND retired IS NULL), rocket.root_of(rel)));
END $$;

CREATE FUNCTION rocket.key_of(rel oid) RETURNS oid LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN (${keySql("rel")});
END $$;

-- Whether somebody's code runs where a row is made of a text: the checks of domains. It would have the rights of who made the journal.
CREATE FUNCTION rocket.runs_code(rel oid) RETURNS boolean LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN EXISTS (${typesSql("rel")}
    SELECT FROM types JOIN pg_constraint k ON k.contypid = types.oid AND k.contype = 'c');
END $$;

CREATE FUNCTION rocket.types_print(rel oid) RETURNS text LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN ${typesPrintSql("rel")};
END $$;

CREATE FUNCTION rocket.print_of(rel oid) RETURNS text LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_class WHERE oid = rel AND relkind = 'r' AND NOT relispartition AND NOT relhassubclass) THEN
    RETURN ${plainPrintSql("rel")};
  END IF;
  RETURN (SELECT ${printSql("rocket.types_print(looked.rel)")}
    FROM (SELECT rel, coalesce(pg_partition_root(rel)::oid, rel) AS root) looked);
END $$;

CREATE FUNCTION rocket.describe_type(type oid) RETURNS jsonb LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
DECLARE t record;
BEGIN
  LOOP
    SELECT y.*, n.nspname INTO t FROM pg_type y JOIN pg_namespace n ON n.oid = y.typnamespace WHERE y.oid = type;
    EXIT WHEN t.typtype <> 'd';
    type := t.typbasetype;
  END LOOP;
  IF t.typcategory = 'A' AND t.typelem <> 0 AND t.typlen = -1 THEN
    RETURN jsonb_build_object('kind', 'array', 'delimiter', t.typdelim, 'element', rocket.describe_type(t.typelem));
  END IF;
  RETURN jsonb_build_object('kind', CASE WHEN t.nspname = 'pg_catalog' THEN t.typname ELSE 'other' END);
END $$;

CREATE FUNCTION rocket.describe(rel oid) RETURNS jsonb LANGUAGE sql STABLE ${fixedPlans} AS $$
  SELECT jsonb_build_object('schema', n.nspname, 'name', c.relname,
    'columns', (SELECT coalesce(jsonb_agg(jsonb_build_object('name', a.attname, 'type', rocket.describe_type(a.atttypid))
      ORDER BY a.attnum), '[]') FROM pg_attribute a WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped),
    'key', (SELECT coalesce(jsonb_agg(a.attname ORDER BY k.place), '[]') FROM pg_index i,
      unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place), pg_attribute a
      WHERE i.indexrelid = rocket.key_of(c.oid) AND k.place <= i.indnkeyatts AND a.attrelid = c.oid AND a.attnum = k.attnum),
    'isKeyDeferrable', coalesce((SELECT NOT i.indimmediate FROM pg_index i WHERE i.indexrelid = rocket.key_of(c.oid)), false))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = rocket.root_of(rel)
$$;

-- What there is to be read, what changes it, and what decides who may read it: triggers, policies, functions and views that they use, roles and their members.
CREATE FUNCTION rocket.schema_print() RETURNS text LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN (SELECT concat_ws(' ',
    (SELECT md5(string_agg(concat(c.oid, ':', c.xmin, n.nspname), ' ' ORDER BY c.oid)) FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'rocket') AND left(n.nspname, 3) <> 'pg_'),
    (SELECT md5(string_agg(concat(n.oid, ':', n.xmin), ' ' ORDER BY n.oid)) FROM pg_namespace n
      WHERE n.nspname <> 'rocket' AND left(n.nspname, 3) <> 'pg_'),
    (SELECT md5(string_agg(concat(t.oid, ':', t.xmin), ' ' ORDER BY t.oid)) FROM pg_trigger t
      JOIN pg_class c ON c.oid = t.tgrelid
      WHERE NOT t.tgisinternal AND t.tgname NOT LIKE '!rocket%' AND c.relpersistence <> 't'),
    (SELECT md5(string_agg(concat(p.oid, ':', p.xmin), ' ' ORDER BY p.oid)) FROM pg_policy p
      JOIN pg_class c ON c.oid = p.polrelid WHERE c.relpersistence <> 't'),
    (SELECT md5(string_agg(concat(w.oid, ':', w.xmin), ' ' ORDER BY w.oid)) FROM pg_rewrite w
      JOIN pg_class c ON c.oid = w.ev_class WHERE w.oid >= 16384 AND c.relpersistence <> 't'),
    (SELECT md5(string_agg(concat(p.oid, ':', p.xmin), ' ' ORDER BY p.oid)) FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE p.oid >= 16384 AND n.nspname <> 'rocket' AND left(n.nspname, 3) <> 'pg_'),
    (SELECT md5(string_agg(concat_ws(':', r.oid, r.rolname, r.rolsuper, r.rolinherit, r.rolbypassrls), ' ' ORDER BY r.oid))
      FROM pg_roles r),
    (SELECT md5(string_agg(concat_ws(':', m.roleid, m.member, m.xmin), ' ' ORDER BY m.roleid, m.member, m.xmin::text))
      FROM pg_auth_members m)));
END $$;

CREATE FUNCTION rocket.has_changed() RETURNS boolean LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN (SELECT s.schema_print IS DISTINCT FROM rocket.schema_print() FROM rocket.state s) OR EXISTS (
    SELECT FROM (SELECT w.relid::oid AS rel, coalesce(pg_partition_root(w.relid)::oid, w.relid::oid) AS root FROM rocket.watched w) looked
    LEFT JOIN rocket.shape s ON s.relid = looked.rel AND s.retired IS NULL WHERE s.print IS DISTINCT FROM ${printSql(typesPrintSql("looked.rel"))});
END $$;
`;
