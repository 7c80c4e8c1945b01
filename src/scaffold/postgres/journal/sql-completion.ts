import { fixedPath, fixedValues } from "./sql-notes.ts";

/**
 * Virtual generated columns have no value where triggers see a row. Their expressions know nothing but the row and what is
 * built in, so they are computed when its images get their positions: no writer waits for it, or fails by it.
 */
export const completionSql: string = `
CREATE FUNCTION rocket.completion_of(rel oid) RETURNS text LANGUAGE sql STABLE ${fixedPath} AS $$
  SELECT format('SELECT ROW(%s)::text FROM (SELECT (CAST(image AS %s)).*) t', string_agg(
    CASE WHEN a.attgenerated::text = 'v'
      THEN format('CAST(%s AS %s)', pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, a.atttypmod))
      ELSE 't.' || quote_ident(a.attname) END, ', ' ORDER BY a.attnum), rel::regclass)
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = rel AND a.attnum > 0 AND NOT a.attisdropped HAVING bool_or(a.attgenerated::text = 'v')
$$;

CREATE FUNCTION rocket.complete_images(since bigint) RETURNS void LANGUAGE plpgsql ${fixedPath} ${fixedValues} AS $$
DECLARE
  s record;
BEGIN
  FOR s IN SELECT id, relid, completion FROM rocket.shape WHERE completion IS NOT NULL AND retired IS NULL LOOP
    BEGIN
      IF rocket.runs_code(s.relid) THEN RAISE EXCEPTION 'what its columns are made of runs code'; END IF;
      EXECUTE format('UPDATE rocket.journal SET
        old = (SELECT r.done FROM (SELECT old AS image) i, LATERAL (%1$s) r (done) WHERE i.image IS NOT NULL),
        new = (SELECT r.done FROM (SELECT new AS image) i, LATERAL (%1$s) r (done) WHERE i.image IS NOT NULL)
        WHERE shape = $1 AND position > $2 AND kind <> ''r''', s.completion) USING s.id, since;
    EXCEPTION WHEN OTHERS THEN
      UPDATE rocket.journal SET kind = 'r', old = NULL, new = NULL WHERE shape = s.id AND position > since;
    END;
  END LOOP;
END $$;
`;
