import type { KeptAnswer } from "../../engine/snapshot.ts";
import type { Session } from "../driver.ts";

/** How long an answer counts. */
const maxAgeMs = 24 * 60 * 60 * 1_000;
/** How many are kept at most. */
const maxAnswers = 100_000;
/** A body that is larger is not kept: the record has it already, and the journal. */
const maxBodyBytes = 16 * 1_024;
/** How many of the oldest are looked at with each new one: more than one, so that a heap of old ones becomes smaller. */
const stepRows = 10;

/**
 * The answer that is kept under a key; `undefined` where there is none, or only one that is too old. Until the end of the
 * transaction nobody else gets further with that key.
 */
export async function findAnswer(session: Session, key: string, now: number): Promise<KeptAnswer | undefined> {
  await session.query("SELECT pg_advisory_xact_lock(5291173, hashtext($1))", [key]);
  const [row] = await session.query(
    "SELECT digest, status, fields, body, event FROM rocket.answers WHERE key = $1 AND made > $2",
    [key, now - maxAgeMs],
  );
  if (!row) return undefined;
  const [digest, status, fields, body = null, event] = row;
  return {
    digest: digest ?? "",
    status: Number(status),
    fields: JSON.parse(fields ?? "[]"),
    body: body ?? undefined,
    ...(event == null ? {} : { eventId: event }),
  };
}

/** Keeps an answer inside the write's own transaction, and removes a few that are too old or too many. Gives its number. */
export async function keepAnswer(
  session: Session,
  key: string,
  { digest, status, fields, body = "" }: KeptAnswer,
  now: number,
): Promise<string> {
  await session.query("DELETE FROM rocket.answers WHERE key = $1", [key]);
  const kept = Buffer.byteLength(body) > maxBodyBytes ? null : body;
  const [row] = await session.query(
    "INSERT INTO rocket.answers (key, digest, made, status, fields, body) VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
    [key, digest, now, status, JSON.stringify(fields), kept],
  );
  const id = row?.[0] ?? "";
  await session.query(
    `DELETE FROM rocket.answers WHERE id IN (
      SELECT id FROM (SELECT id, made FROM rocket.answers ORDER BY id LIMIT ${stepRows}) oldest
      WHERE made <= $1 OR id <= $2)`,
    [now - maxAgeMs, Number(id) - maxAnswers],
  );
  return id;
}

/**
 * Adds to kept answers where the journal stands, in their own transaction, after a tick that has given its rows positions.
 * Gives what each says then: nothing where it has not.
 */
export async function markOwnAnswers(session: Session, ids: readonly string[]): Promise<string[]> {
  const marked = await session.query(
    `UPDATE rocket.answers SET event = concat(s.segment, ':', s.position, '.', s.chk) FROM rocket.stand() s
    WHERE id = ANY ($1::bigint[]) AND NOT pg_current_xact_id() = ANY (s.pending) RETURNING event`,
    [`{${ids.join()}}`],
    "keep",
  );
  return marked.map(([event]) => event ?? "");
}

/** Adds to kept answers where the journal stands at the end of their transaction. */
export async function markAnswers(session: Session, ids: readonly string[], eventId: string): Promise<void> {
  await session.query("UPDATE rocket.answers SET event = $2 WHERE id = ANY ($1::bigint[])", [ids, eventId]);
}
