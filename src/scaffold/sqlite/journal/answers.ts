import type { Field } from "../../../protocol/index.ts";
import type { Connection } from "../connection.ts";
import { answerTable } from "./names.ts";

/** The answer to a write that had an `Idempotency-Key`. */
export interface KeptAnswer {
  /** What tells the request from others with the same key. */
  readonly digest: string;
  readonly status: number;
  readonly fields: readonly Field[];
  readonly body: string;
  /** Where the journal stood at the end of the write's transaction; absent until that is known. */
  readonly eventId?: string;
}

/** How long an answer counts. */
const maxAgeMs = 24 * 60 * 60 * 1_000;
/** How many are kept at most. */
const maxAnswers = 100_000;
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
    body: String(body),
    ...(typeof event === "string" ? { eventId: event } : {}),
  };
}

/**
 * Keeps an answer inside the write's own transaction, and removes a few that are too old or too many.
 *
 * @returns what {@link markAnswer} calls it by
 */
export function keepAnswer(connection: Connection, key: string, answer: KeptAnswer, now: number): number {
  const { digest, status, fields, body } = answer;
  connection.prepare(`DELETE FROM ${answerTable} WHERE key = ?`).run(key);
  const [row] = connection
    .prepare(
      `INSERT INTO ${answerTable} (key, digest, made, status, fields, body) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
    )
    .all(key, digest, now, status, JSON.stringify(fields), body);
  const id = Number(row?.[0]);
  connection
    .prepare(
      `DELETE FROM ${answerTable} WHERE id IN
       (SELECT id FROM (SELECT id, made FROM ${answerTable} ORDER BY id LIMIT ${stepRows}) WHERE made <= ? OR id <= ?)`,
    )
    .run(now - maxAgeMs, id - maxAnswers);
  return id;
}

/** Adds to a kept answer where the journal stands at the end of its transaction. */
export function markAnswer(connection: Connection, id: number, eventId: string): void {
  connection.prepare(`UPDATE ${answerTable} SET event = ? WHERE id = ?`).run(eventId, id);
}
