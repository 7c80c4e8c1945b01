import type { KeptAnswer } from "../../engine/snapshot.ts";
import type { Connection } from "../connection.ts";
import { answerTable } from "./names.ts";

/** How long an answer counts. */
const maxAgeMs = 24 * 60 * 60 * 1_000;
/** How many are kept at most. */
const maxAnswers = 100_000;
/** How many bytes they have together, about. */
const maxAnswersBytes = 64 * 1024 * 1024;
/** A body that is larger is not kept: the record has it already, and the journal. */
const maxBodyBytes = 16 * 1024;
/** After how many answers their bytes are counted anew: what was rolled back, or removed by others, is not noticed. */
const countEvery = 1_000;
/** How many of the oldest are looked at with each new one: more than one, so that a heap of old ones becomes smaller. */
const stepRows = 10;

/** The answer that is kept under a key; `undefined` where there is none, or only one that is too old. */
export function findAnswer(connection: Connection, key: string, now: number): KeptAnswer | undefined {
  const [row] = connection
    .prepare(`SELECT digest, status, fields, body, event FROM ${answerTable} WHERE key = ? AND made > ?`)
    .all(key, now - maxAgeMs);
  if (!row) return undefined;
  const [digest, status, fields, body, event] = row;
  return {
    digest: String(digest),
    status: Number(status),
    fields: JSON.parse(String(fields)),
    body: body === null ? undefined : String(body),
    ...(typeof event === "string" ? { eventId: event } : {}),
  };
}

/**
 * Keeps an answer inside the write's own transaction, and removes a few that are too old or too many.
 *
 * @returns what {@link markAnswer} calls it by
 */
export function keepAnswer(connection: Connection, key: string, answer: KeptAnswer, now: number): number {
  const { digest, status } = answer;
  const fields = JSON.stringify(answer.fields);
  const body = Buffer.byteLength(answer.body ?? "") > maxBodyBytes ? null : (answer.body ?? "");
  connection.prepare(`DELETE FROM ${answerTable} WHERE key = ?`).run(key);
  const [row] = connection
    .prepare(
      `INSERT INTO ${answerTable} (key, digest, made, status, fields, body) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
    )
    .all(key, digest, now, status, fields, body);
  const id = Number(row?.[0]);
  removeOld(connection, id, now);
  return id;
}

const sizeSql = "octet_length(fields) + ifnull(octet_length(body), 0)";

interface Count {
  bytes: number;
  /** After how many answers it is taken anew. */
  left: number;
}

const counts = new WeakMap<Connection, Count>();

/** About how many bytes the answers have; the newest is counted. */
function countBytes(connection: Connection, id: number): Count {
  const known = counts.get(connection);
  if (known && known.left > 0) {
    const [row] = connection.prepare(`SELECT ${sizeSql} FROM ${answerTable} WHERE id = ?`).all(id);
    known.bytes += Number(row?.[0] ?? 0);
    known.left -= 1;
    return known;
  }
  const [row] = connection.prepare(`SELECT total(${sizeSql}) FROM ${answerTable}`).all();
  const count = { bytes: Number(row?.[0] ?? 0), left: countEvery };
  counts.set(connection, count);
  return count;
}

/** Removes a few of the oldest that are too old or too many; of those that have too many bytes, all. */
function removeOld(connection: Connection, newest: number, now: number): void {
  const count = countBytes(connection, newest);
  let removed: unknown[][];
  do {
    const isLarge = count.bytes > maxAnswersBytes ? 1 : 0;
    removed = connection
      .prepare(
        `DELETE FROM ${answerTable} WHERE id IN
         (SELECT id FROM (SELECT id, made FROM ${answerTable} ORDER BY id LIMIT ${stepRows})
          WHERE made <= ? OR id <= ? OR (? AND id < ?)) RETURNING ${sizeSql}`,
      )
      .all(now - maxAgeMs, newest - maxAnswers, isLarge, newest);
    for (const [bytes] of removed) count.bytes -= Number(bytes);
  } while (removed.length > 0 && count.bytes > maxAnswersBytes);
}

/** Adds to a kept answer where the journal stands at the end of its transaction. */
export function markAnswer(connection: Connection, id: number, eventId: string): void {
  connection.prepare(`UPDATE ${answerTable} SET event = ? WHERE id = ?`).run(eventId, id);
}
