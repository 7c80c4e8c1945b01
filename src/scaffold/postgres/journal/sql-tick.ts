import { completionSql } from "./sql-completion.ts";
import { fixedPath, fixedPlans, fixedValues } from "./sql-notes.ts";

/** Which server and database this is: a restored, copied or promoted one has another history. */
const serverSql = `
CREATE FUNCTION rocket.server() RETURNS text LANGUAGE plpgsql STABLE ${fixedPlans} AS $$
BEGIN
  RETURN (SELECT concat_ws(' ', (SELECT system_identifier FROM pg_control_system()),
    substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8),
    (SELECT oid FROM pg_database WHERE datname = current_database())));
END $$;

CREATE FUNCTION rocket.new_segment() RETURNS text LANGUAGE sql VOLATILE ${fixedPlans} AS $$
  SELECT 'p' || substr(replace(gen_random_uuid()::text, '-', ''), 13)
$$;
`;

/**
 * Tables of which the rows can't tell what happened begin anew: their rows that are visible leave the outbox, they get new
 * descriptions, and the journal gets a reset, under both names where they have another one. Only under the fence.
 */
const resetSql = `
CREATE FUNCTION rocket.add_reset(it int) RETURNS void LANGUAGE sql VOLATILE ${fixedPlans} AS $$
  WITH added AS (
    INSERT INTO rocket.journal (position, shape, kind, total) SELECT position + 2, it, 'r', total FROM rocket.state
    RETURNING position, chk)
  UPDATE rocket.state s SET position = a.position, chk = a.chk FROM added a
$$;

CREATE FUNCTION rocket.reset(roots oid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER ${fixedPlans} AS $$
DECLARE
  it oid;
  former record;
  fresh record;
  place bigint;
BEGIN
  FOREACH it IN ARRAY roots LOOP
    DELETE FROM rocket.outbox o WHERE rocket.home_of(o.relid) = it OR rocket.root_of(o.relid) = it;
    SELECT id, description INTO former FROM rocket.shape WHERE relid = it AND root = it AND retired IS NULL;
    IF FOUND THEN PERFORM rocket.add_reset(former.id); END IF;
    SELECT position + 2 INTO place FROM rocket.state;
    UPDATE rocket.shape SET retired = place WHERE root = it AND retired IS NULL;
    IF rocket.print_of(it) IS NULL OR rocket.root_of(it) <> it THEN
      DELETE FROM rocket.watched WHERE relid::oid = it;
    ELSIF EXISTS (SELECT FROM rocket.watched WHERE relid::oid = it) THEN
      -- A table that has become a partition is gone under its own name.
      PERFORM rocket.add_reset(s.id) FROM rocket.shape s
      WHERE s.relid IN (SELECT rocket.parts_of(it)) AND s.retired IS NULL AND s.root = s.relid;
      SELECT position + 2 INTO place FROM rocket.state;
      UPDATE rocket.shape SET retired = place WHERE relid IN (SELECT rocket.parts_of(it)) AND retired IS NULL;
      INSERT INTO rocket.shape (relid, root, print, description, completion)
      SELECT part, it, rocket.print_of(part), rocket.describe(part), rocket.completion_of(part) FROM rocket.parts_of(it) part;
      SELECT id, description INTO fresh FROM rocket.shape WHERE relid = it AND retired IS NULL;
      IF fresh.description->'name' IS DISTINCT FROM former.description->'name'
        OR fresh.description->'schema' IS DISTINCT FROM former.description->'schema'
      THEN
        PERFORM rocket.add_reset(fresh.id);
      END IF;
    END IF;
  END LOOP;
END $$;

CREATE FUNCTION rocket.begin_segment(former text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER ${fixedPlans} AS $$
BEGIN
  PERFORM FROM rocket.state WHERE segment = former FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  PERFORM set_config('synchronous_commit', 'on', true);
  DELETE FROM rocket.outbox;
  UPDATE rocket.shape s SET retired = t.position FROM rocket.state t WHERE s.retired IS NULL;
  UPDATE rocket.state SET segment = rocket.new_segment(), system = rocket.server(), snapshot = NULL;
  -- What others committed since the outbox was emptied is told, or covered by what they get anew.
  UPDATE rocket.state SET schema_changes = schema_changes + 1;
  PERFORM rocket.reset(ARRAY(SELECT relid::oid FROM rocket.watched));
END $$;
`;

/** Whether a transaction that a snapshot had seen begin has ended, or is the one that asks: its own is visible to it. */
const isOver = "pg_visible_in_snapshot(x, pg_current_snapshot())";

/**
 * The snapshot that a tick leaves behind: to it, the tick's own transaction goes on. What a writer's trigger were to write after
 * its tick, at the very commit, is found by the next one.
 */
const leftSql = `(SELECT format('%s:%s:%s', least(pg_snapshot_xmin(now), own), pg_snapshot_xmax(now), (
      SELECT string_agg(x::text, ',' ORDER BY x)
      FROM (SELECT pg_snapshot_xip(now) UNION SELECT own WHERE own < pg_snapshot_xmax(now)) going (x)))::pg_snapshot
    FROM (SELECT pg_current_snapshot() AS now, pg_current_xact_id() AS own) one)`;

/** Rows that can be new since a snapshot: those of transactions that it did not see, never more. */
const newSql = `
CREATE FUNCTION rocket.has_new(since pg_snapshot) RETURNS boolean LANGUAGE plpgsql STABLE ${fixedPlans} SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT since IS NULL
    OR EXISTS (SELECT FROM rocket.outbox WHERE xid >= pg_snapshot_xmax(since))
    OR EXISTS (SELECT FROM pg_snapshot_xip(since) x, rocket.outbox o WHERE ${isOver} AND o.xid = x));
END $$;
`;

/** The rows that are new since the last tick. */
const candidatesSql = `
    SELECT xid, seq FROM rocket.outbox WHERE xid >= coalesce(pg_snapshot_xmax(s.snapshot), '0')
    UNION ALL
    SELECT o.xid, o.seq FROM pg_snapshot_xip(s.snapshot) x, rocket.outbox o WHERE ${isOver} AND o.xid = x
  `;

/** How many pairs of rows of one table are compared by their keys; beyond, they count as the wrong way round. */
const maxPairs = 400;

/** Whether two rows of a table, as their texts, have one key; also where that can't be told. */
const sameKeySql = `
CREATE FUNCTION rocket.has_same_key(rel oid, one text, other text) RETURNS boolean LANGUAGE plpgsql STABLE ${fixedPath} ${fixedValues} AS $$
DECLARE
  condition text;
  is_same boolean;
BEGIN
  IF rocket.runs_code(rel) THEN RETURN true; END IF;
  SELECT string_agg(format('(CAST($1 AS %1$s)).%2$I IS NOT DISTINCT FROM (CAST($2 AS %1$s)).%2$I', rel::regclass, a.attname), ' AND ')
  INTO condition FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place), pg_attribute a
  WHERE i.indexrelid = rocket.key_of(rel) AND k.place <= i.indnkeyatts AND a.attrelid = rel AND a.attnum = k.attnum;
  EXECUTE 'SELECT ' || condition INTO is_same USING one, other;
  RETURN coalesce(is_same, true);
EXCEPTION WHEN OTHERS THEN
  RETURN true;
END $$;
`;

/**
 * The move from the outbox to the journal, as one statement: one snapshot decides which transactions are new, which rows are
 * theirs, and whether the tables are still as they are described. Transactions are in the order of their last rows: a row's
 * lock makes that the order of the commits wherever two wrote the same record, and none is torn. Where a trigger wrote a
 * row again that its statement had written already, or one with a key that the statement had freed, the two were noted the
 * wrong way round: such a table is reset. (Of what a statement does to several rows, its triggers are told at its end.)
 */
const moveSql = `
  WITH candidates AS MATERIALIZED (${candidatesSql}), groups AS (
    SELECT xid, max(seq) AS last, count(*) AS rows FROM candidates GROUP BY xid
  ), ranked AS MATERIALIZED (
    SELECT xid, last, sum(rows) OVER (ORDER BY last) AS upto, row_number() OVER (ORDER BY last) AS place,
      sum(rows) OVER () AS count FROM groups
  ), chosen AS MATERIALIZED (
    SELECT xid, last FROM ranked WHERE place = 1 OR upto <= greatest(max_rows, count / 8)
  ), deleted AS (
    DELETE FROM rocket.outbox WHERE xid = ANY (ARRAY(SELECT xid FROM chosen)) RETURNING *
  ), taken AS MATERIALIZED (
    SELECT d.*, c.last FROM deleted d JOIN chosen c ON c.xid = d.xid
  ), nested AS (
    SELECT xid, relid, max(depth) AS depth, min(seq) AS first, count(*) AS rows FROM taken
    WHERE depth > 1 AND new IS NOT NULL GROUP BY xid, relid
  ), crowds AS MATERIALIZED (
    SELECT n.xid, n.relid, n.rows * count(*) AS pairs FROM nested n
    JOIN taken b ON b.xid = n.xid AND b.relid = n.relid AND b.depth < n.depth AND b.seq > n.first AND b.old IS NOT NULL
    GROUP BY n.xid, n.relid, n.rows
  ), overtaken AS (
    SELECT a.relid FROM taken a JOIN taken b ON b.xid = a.xid AND b.relid = a.relid AND b.new = a.old
    WHERE a.depth > 1 AND b.depth < a.depth AND b.seq > a.seq
    UNION
    SELECT c.relid FROM crowds c WHERE c.pairs > ${maxPairs}
    UNION
    SELECT c.relid FROM crowds c, LATERAL (
      SELECT FROM taken a JOIN taken b ON b.depth < a.depth AND b.seq > a.seq AND b.old IS NOT NULL
      WHERE a.xid = c.xid AND a.relid = c.relid AND a.depth > 1 AND a.new IS NOT NULL AND b.xid = c.xid AND b.relid = c.relid
        AND rocket.has_same_key(c.relid, a.new, b.old) AND NOT EXISTS (
          SELECT FROM taken x WHERE x.xid = c.xid AND x.relid = c.relid AND x.new = b.old AND x.seq >= a.seq AND x.seq < b.seq)
      LIMIT 1) freed
    WHERE c.pairs <= ${maxPairs}
  ), known AS MATERIALIZED (
    SELECT r.relid, (SELECT w.id FROM rocket.watched w WHERE w.relid::oid = rocket.home_of(r.relid)) AS via, CASE WHEN r.relid NOT IN (SELECT relid FROM overtaken) THEN (
      SELECT p.id FROM rocket.shape p
      WHERE p.relid = r.relid AND p.retired IS NULL AND p.print = rocket.print_of(r.relid)) END AS shape
    FROM (SELECT DISTINCT relid FROM taken WHERE relid <> 0) r
  ), moved AS (
    INSERT INTO rocket.journal (position, xid, shape, kind, old, new, total)
    SELECT s.position + 2 * row_number() OVER w, t.xid, k.shape, t.kind, t.old, t.new,
      s.total + sum(coalesce(octet_length(t.old), 0) + coalesce(octet_length(t.new), 0) + 32) OVER w
    FROM taken t JOIN known k ON k.relid = t.relid WHERE k.shape IS NOT NULL AND (t.kind = 'r' OR t.via = k.via)
    WINDOW w AS (ORDER BY t.last, t.seq ROWS UNBOUNDED PRECEDING)
    RETURNING position, chk, total
  )
  SELECT last.*, ${leftSql} AS snapshot,
    (SELECT count(*) FROM ranked) = (SELECT count(*) FROM chosen) AS is_complete,
    EXISTS (SELECT FROM taken WHERE relid = 0) AS is_schema,
    ARRAY(SELECT DISTINCT rocket.home_of(relid) FROM known WHERE shape IS NULL) AS unclear
  FROM (SELECT 1) one LEFT JOIN (SELECT position, chk, total FROM moved ORDER BY position DESC LIMIT 1) last ON true`;

/**
 * The one row that is new, where it is the only one: what a tick finds as a rule. The statement that moves all there is takes
 * several times as long, most of it to begin with. It is one statement, too: its snapshot decides what is new, and is what
 * the tick leaves behind.
 */
const onlySql = `
  WITH candidates AS MATERIALIZED (${candidatesSql}), two AS MATERIALIZED (SELECT * FROM candidates LIMIT 2)
  SELECT r.*, (SELECT count(*) FROM two) = 1 AS is_only, ${leftSql} AS snapshot
  FROM two JOIN rocket.outbox r ON r.xid = two.xid AND r.seq = two.seq LIMIT 1`;

/** The shape of that row, where its table is as it is described, and nothing has to be computed for it; else all goes the long way. */
const onlyShapeSql = `
  SELECT p.id FROM rocket.shape p JOIN rocket.watched w ON w.relid::oid = p.root
  WHERE p.relid = o.relid AND p.retired IS NULL AND p.completion IS NULL AND w.id = o.via AND o.kind <> 'r'
    AND p.print = rocket.print_of(o.relid)`;

/** Moves that row. */
const moveOnlySql = `
  WITH deleted AS (DELETE FROM rocket.outbox WHERE xid = o.xid AND seq = o.seq)
  INSERT INTO rocket.journal AS j (position, xid, shape, kind, old, new, total)
  VALUES (s.position + 2, o.xid, known, o.kind, o.old, o.new,
    s.total + coalesce(octet_length(o.old), 0) + coalesce(octet_length(o.new), 0) + 32)
  RETURNING j.position, j.chk, j.total, o.snapshot AS snapshot, true AS is_complete, false AS is_schema, '{}'::oid[] AS unclear`;

/**
 * Gives positions to what was committed, and to what the transaction that asks has written, and says where the journal
 * stands. Whoever holds the state's row is alone; it is taken before the statement whose snapshot decides. Nothing is written
 * where there is nothing new.
 *
 * A writer that asks at its end, and then only commits, has its own rows in the journal as it has them in the outbox: with
 * its commit or not at all. To the snapshot it leaves behind it is one that goes on, whose rows are not in the outbox any more.
 */
const tickSql = `
CREATE FUNCTION rocket.tick(max_rows int, must_wait boolean, must_look boolean) RETURNS TABLE (
  segment text, "position" bigint, chk int, total bigint, first bigint, schema_changes bigint, is_complete boolean)
LANGUAGE plpgsql SECURITY DEFINER ${fixedPlans} SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  s rocket.state;
  o record;
  m record;
  known int;
  roots oid[] := '{}';
  is_done boolean := true;
  is_changed boolean := false;
BEGIN
  SELECT * INTO STRICT s FROM rocket.state;
  IF s.system IS DISTINCT FROM rocket.server() OR pg_snapshot_xmax(s.snapshot) > pg_snapshot_xmax(pg_current_snapshot()) THEN
    PERFORM rocket.begin_segment(s.segment);
  ELSIF rocket.has_new(s.snapshot) OR must_look AND (rocket.has_changed()
    OR EXISTS (SELECT FROM pg_snapshot_xip(pg_current_snapshot()) x WHERE x >= pg_snapshot_xmax(s.snapshot)))
  THEN
    IF must_wait THEN
      SELECT * INTO s FROM rocket.state FOR UPDATE;
    ELSE
      SELECT * INTO s FROM rocket.state FOR UPDATE SKIP LOCKED;
      is_done := FOUND;
    END IF;
    IF is_done THEN
      IF current_setting('synchronous_commit') <> 'remote_apply' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
      END IF;
      ${onlySql} INTO o;
      IF o.is_only AND o.relid <> 0 THEN ${onlyShapeSql} INTO known; END IF;
      IF known IS NULL THEN
        ${moveSql} INTO m;
      ELSE
        ${moveOnlySql} INTO m;
      END IF;
      UPDATE rocket.state SET position = coalesce(m.position, position), chk = coalesce(m.chk, chk),
        total = coalesce(m.total, total), snapshot = CASE WHEN m.is_complete THEN m.snapshot ELSE snapshot END;
      roots := m.unclear;
      IF m.position IS NOT NULL AND known IS NULL THEN PERFORM rocket.complete_images(s.position); END IF;
      -- Nobody waits for a look at each table, unless there is something to be found.
      is_changed := m.is_schema OR must_look AND rocket.has_changed();
      IF is_changed THEN
        roots := roots || ARRAY(
          SELECT w.relid::oid FROM rocket.watched w LEFT JOIN rocket.shape p ON p.relid = w.relid::oid AND p.retired IS NULL
          WHERE p.print IS DISTINCT FROM rocket.print_of(w.relid::oid) AND w.relid::oid <> ALL (m.unclear));
      END IF;
      IF roots <> '{}' THEN PERFORM rocket.reset(roots); END IF;
      IF is_changed OR roots <> '{}' THEN
        UPDATE rocket.state SET schema_changes = schema_changes + 1, schema_print = rocket.schema_print()
        WHERE m.is_schema OR roots <> '{}' OR schema_print IS DISTINCT FROM rocket.schema_print();
      END IF;
      IF m.position IS NOT NULL OR roots <> '{}' THEN
        PERFORM pg_notify('rocket', (SELECT position::text FROM rocket.state));
      END IF;
      is_done := m.is_complete;
    END IF;
  END IF;
  RETURN QUERY SELECT t.segment, t.position, t.chk, t.total, t.first, t.schema_changes, is_done FROM rocket.state t;
END $$;
`;

/**
 * Where a transaction stands: the journal's head as it sees it, the transactions that it sees and the journal has not, its own
 * among them, and whether one of them changed the schema.
 */
const standSql = `
CREATE FUNCTION rocket.stand() RETURNS TABLE (
  segment text, "position" bigint, chk int, pending xid8[], schema_changes bigint, is_schema_pending boolean)
LANGUAGE sql STABLE SECURITY DEFINER ${fixedPlans} SET enable_seqscan = off AS $$
  SELECT s.segment, s.position, s.chk, ARRAY(
    SELECT xid FROM rocket.outbox WHERE xid >= coalesce(pg_snapshot_xmax(s.snapshot), '0')
    UNION
    SELECT o.xid FROM pg_snapshot_xip(s.snapshot) x, rocket.outbox o WHERE ${isOver} AND o.xid = x),
    s.schema_changes, EXISTS (SELECT FROM rocket.outbox WHERE kind = 's')
  FROM rocket.state s
$$;
`;

/** Everything that moves the journal on. */
export const tickingSql: string = serverSql + newSql + completionSql + resetSql + sameKeySql + tickSql + standSql;
