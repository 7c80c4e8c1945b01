import { fixedPath } from "./sql-notes.ts";

/** Whether a row `j` of the journal is too old, where `s` is the state. */
const isOld = `(j.position < s.position AND (j.position <= s.position - 2 * max_changes OR s.total - j.total >= max_bytes
    OR j.at < clock_timestamp() - max_age))`;

/** Removes the oldest rows, at most a step of them, never the last one. Gives how many. */
export const trimSql: string = `
CREATE FUNCTION rocket.trim(max_changes bigint, max_bytes bigint, max_age interval, step int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER ${fixedPath} SET enable_seqscan = off AS $$
DECLARE
  s rocket.state;
  upto bigint;
BEGIN
  SELECT * INTO s FROM rocket.state;
  PERFORM FROM (SELECT * FROM rocket.journal WHERE position > s.first ORDER BY position LIMIT 1) j WHERE ${isOld};
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT * INTO s FROM rocket.state FOR UPDATE SKIP LOCKED;
  IF NOT FOUND THEN RETURN 0; END IF;
  SELECT max(position) INTO upto FROM (
    SELECT * FROM rocket.journal WHERE position > s.first ORDER BY position LIMIT step) j WHERE ${isOld};
  IF upto IS NULL THEN RETURN 0; END IF;
  UPDATE rocket.state SET first = upto;
  DELETE FROM rocket.journal WHERE position > s.first AND position <= upto;
  DELETE FROM rocket.shape WHERE retired <= upto + 2;
  RETURN (upto - s.first) / 2;
END $$;
`;
