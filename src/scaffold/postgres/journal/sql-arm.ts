import { rowTrigger, truncateTrigger } from "./trigger-names.ts";

/**
 * Puts triggers on a table and its partitions, and has the journal begin with it anew. It runs with its caller's rights. Without
 * rows, the journal says only that something was written to the table; where another process wants the rows, they are told.
 *
 * The row triggers of a partitioned table are cloned to its partitions under their name, so each table's has a name of its
 * own: one that becomes a partition has two, until it is armed again, and rows count that come by the right one.
 */
export const armingSql: string = `
CREATE FUNCTION rocket.arm(it regclass, with_rows boolean) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  own text;
  note text;
  part regclass;
  other text;
BEGIN
  INSERT INTO rocket.watched (relid, has_rows) VALUES (it, with_rows)
    ON CONFLICT (relid) DO UPDATE SET has_rows = watched.has_rows OR with_rows;
  SELECT '${rowTrigger} ' || id, CASE WHEN has_rows THEN 'note' ELSE 'touch' END INTO own, note
    FROM rocket.watched WHERE relid = it;
  FOR part, other IN
    SELECT t.tgrelid, t.tgname FROM pg_trigger t WHERE (t.tgname LIKE '${rowTrigger}%' OR t.tgname = '${truncateTrigger}') AND t.tgparentid = 0
      AND t.tgrelid IN (SELECT rocket.parts_of(it))
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', other, part);
  END LOOP;
  EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION rocket.%I(%L)',
    own, it, note, substr(own, ${rowTrigger.length + 2}));
  FOR part IN SELECT rocket.parts_of(it) LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION rocket.note_truncate()',
      '${truncateTrigger}', part);
    EXECUTE format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I, ENABLE ALWAYS TRIGGER %I', part, own, '${truncateTrigger}');
  END LOOP;
  INSERT INTO rocket.outbox (relid, kind) VALUES (it, 'r');
END $$;
`;
