import type { Client } from "pg";
import type { Chapter } from "./rough-story.ts";
import { holdUp, type Patch } from "./story.ts";

/** A way in which a journal could be wrong. */
export interface Defect {
  readonly name: string;
  /** What the story says of it. */
  readonly shows: RegExp;
  readonly patch: Patch;
}

/** Puts something else into a function of the database. */
function within(name: string, ...changes: readonly (readonly [find: string, replace: string])[]): Patch {
  return async (client: Client) => {
    const sql =
      "SELECT pg_get_functiondef(oid) AS text FROM pg_proc WHERE pronamespace = 'rocket'::regnamespace AND proname = $1";
    const { rows } = await client.query<{ text: string }>(sql, [name]);
    let text = rows[0]?.text ?? "";
    for (const [find, replace] of changes) {
      if (!text.includes(find)) throw new Error(`rocket.${name} has no ${find}`);
      text = text.replaceAll(find, replace);
    }
    await client.query(text);
  };
}

function run(sql: string): Patch {
  return async (client) => {
    await client.query(sql);
  };
}

function all(...patches: readonly Patch[]): Patch {
  return async (client) => {
    for (const patch of patches) await patch(client);
  };
}

const wait = `PERFORM pg_advisory_xact_lock_shared(${holdUp});`;
const younger = "SELECT xid, seq FROM rocket.outbox WHERE xid >= coalesce(pg_snapshot_xmax(s.snapshot), '0')";
const reopened = `SELECT o.xid, o.seq FROM pg_snapshot_xip(s.snapshot) x, rocket.outbox o WHERE pg_visible_in_snapshot(x, pg_current_snapshot()) AND o.xid = x`;

/** Each is told a story, and must be caught. */
export const defects: readonly Defect[] = [
  {
    name: "rows are read after the last number that was seen",
    shows: /hot\/2 went from 0 to 2/,
    patch: all(
      run(`CREATE TABLE rocket.cursor (seq bigint);
        CREATE FUNCTION rocket.note_cursor() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO rocket.cursor VALUES (OLD.seq); RETURN NULL; END';
        CREATE TRIGGER cursor AFTER DELETE ON rocket.outbox FOR EACH ROW EXECUTE FUNCTION rocket.note_cursor()`),
      within(
        "tick",
        [younger, "SELECT xid, seq FROM rocket.outbox WHERE seq > coalesce((SELECT max(seq) FROM rocket.cursor), 0)"],
        [reopened, "SELECT xid, seq FROM rocket.outbox WHERE false"],
      ),
    ),
  },
  {
    name: "transactions are told in the order of their ids",
    shows: /hot\/1 went from 2 to 1/,
    patch: within(
      "tick",
      ["OVER (ORDER BY last)", "OVER (ORDER BY xid)"],
      ["(ORDER BY t.last, t.seq", "(ORDER BY t.xid, t.seq"],
    ),
  },
  {
    name: "changes are told in the order of their numbers alone",
    shows: /turn a.* torn/,
    patch: within("tick", ["(ORDER BY t.last, t.seq", "(ORDER BY t.seq"]),
  },
  {
    name: "only what is older than all open transactions is told",
    shows: /holds everything up/,
    patch: within(
      "tick",
      [younger, `${younger} AND xid < pg_snapshot_xmin(pg_current_snapshot())`],
      [reopened, `${reopened} AND x < pg_snapshot_xmin(pg_current_snapshot())`],
    ),
  },
  {
    name: "transactions that were open at the last tick are forgotten",
    shows: /hot\/2 went from 0 to 2/,
    patch: within("tick", [reopened, "SELECT xid, seq FROM rocket.outbox WHERE false"]),
  },
  {
    name: "a tick ends in the middle of a transaction",
    shows: /hot\/9 went from 0 to 2/,
    patch: within("tick", [
      "DELETE FROM rocket.outbox WHERE xid = ANY (ARRAY(SELECT xid FROM chosen)) RETURNING *",
      "DELETE FROM rocket.outbox WHERE seq IN (SELECT seq FROM candidates ORDER BY seq LIMIT max_rows) RETURNING *",
    ]),
  },
  {
    name: "two processes may give positions at once",
    shows: /a tick failed/,
    patch: within(
      "tick",
      ["SELECT * INTO s FROM rocket.state FOR UPDATE;", "SELECT * INTO s FROM rocket.state;"],
      ["UPDATE rocket.state SET position = coalesce(m", `${wait} UPDATE rocket.state SET position = coalesce(m`],
    ),
  },
  {
    name: "what a tick has seen is asked in another statement than what it takes",
    shows: /hot\/9 went from 1 to 3/,
    patch: within("tick", [
      "UPDATE rocket.state SET position = coalesce(m.position, position)",
      `${wait} m.snapshot := pg_current_snapshot(); UPDATE rocket.state SET position = coalesce(m.position, position)`,
    ]),
  },
  {
    name: "an opening does not say what it shows beside its position",
    shows: /an opening that showed/,
    patch: run(`CREATE OR REPLACE FUNCTION rocket.stand() RETURNS TABLE (
        segment text, "position" bigint, chk int, pending xid8[], schema_changes bigint, is_schema_pending boolean)
      LANGUAGE sql STABLE AS $$ SELECT s.segment, s.position, s.chk, '{}'::xid8[], s.schema_changes, false FROM rocket.state s $$`),
  },
  {
    name: "hints are the only reason to look",
    shows: /was not looked for/,
    patch: within("tick", ["ELSIF rocket.has_new(", "ELSIF must_wait AND rocket.has_new("]),
  },
  {
    name: "values are written as the writer's session has it",
    shows: /as its writer's session/,
    patch: run(
      "ALTER FUNCTION rocket.note() RESET ALL; ALTER FUNCTION rocket.note() SET search_path = pg_catalog, pg_temp",
    ),
  },
  {
    name: "tables that are emptied are not noticed",
    shows: /was emptied/,
    patch: within("note_truncate", ["INSERT INTO rocket.outbox (relid, kind) VALUES (TG_RELID, 'r');", ""]),
  },
  {
    name: "rows that a trigger wrote again are told the wrong way round",
    shows: /parts\/2 was told last/,
    patch: within(
      "tick",
      ["WHERE a.depth > 1 AND", "WHERE false AND"],
      ["WHERE c.pairs <=", "WHERE false AND c.pairs <="],
    ),
  },
  {
    name: "a tick takes all positions anew",
    shows: /a tick failed/,
    patch: within("tick", ["s.position + 2 * row_number() OVER w", "2 * row_number() OVER w"]),
  },
  {
    name: "creates are noted as deletes",
    shows: /as its writer.s session writes it: undefined/,
    patch: within("note", ["ELSIF TG_OP = 'INSERT' THEN", "ELSIF false THEN"]),
  },
];

/** Each is told a chapter of the rough story, and must be caught. */
export const roughDefects: readonly (Defect & { readonly chapter: Chapter })[] = [
  {
    name: "positions are committed as the role commits",
    chapter: "crash",
    shows: /what was told before the crash is not known/,
    patch: within("tick", ["PERFORM set_config('synchronous_commit', 'on', true);", "NULL;"]),
  },
  {
    name: "more is trimmed than is to be",
    chapter: "trim",
    shows: /more was trimmed/,
    patch: within("trim", ["s.position - 2 * max_changes", "s.position - max_changes"]),
  },
  {
    name: "the last change is trimmed, too",
    chapter: "trim",
    shows: /the last position is not known/,
    patch: within("trim", ["j.position < s.position AND", ""]),
  },
  {
    name: "a copy of the database keeps the segment",
    chapter: "copy",
    shows: /a copy goes on/,
    patch: all(
      within("server", ["(SELECT oid FROM pg_database WHERE datname = current_database())", "1"]),
      run("UPDATE rocket.state SET system = rocket.server()"),
    ),
  },
  {
    name: "positions have no check",
    chapter: "older copy",
    shows: /a lost position is known/,
    patch: run("ALTER TABLE rocket.journal ALTER chk SET DEFAULT 1"),
  },
  {
    name: "triggers run with the writer's rights",
    chapter: "foreign writer",
    shows: /permission denied/,
    patch: run("ALTER FUNCTION rocket.note() SECURITY INVOKER"),
  },
];
