import { formatEventId } from "../../../protocol/index.ts";
import type { Bookmark } from "../../../server/index.ts";
import type { BoundStatement, Pool, Row } from "../driver.ts";
import { beginWrite, readStatements, writeStatements } from "../own-transaction.ts";
import { quoteText } from "../sql-text.ts";
import type { RowMark } from "./rows.ts";

/** A row's place in a segment. */
export interface SegmentMark extends RowMark {
  readonly segment: string;
}

/** Where the journal stands. */
export interface Head extends SegmentMark {
  /** How many bytes of images it has ever held. */
  readonly total: number;
  /** The last position that was trimmed. */
  readonly first: number;
  /** Grows with each change of the schema that was noticed. */
  readonly schemaChanges: string;
}

/** What a tick gave. */
export interface Ticked extends Head {
  /** False where something is left that another tick has to do. */
  readonly isComplete: boolean;
}

/** How a tick is done. */
export interface TickOptions {
  readonly maxChanges: number;
  /** How long another process's tick is waited for at most. */
  readonly waitMs: number;
  /** Whether another process's tick is waited for: only then is everything that was committed before the call in it. */
  readonly mustWait: boolean;
  /** Whether the tables' definitions are looked at. */
  readonly mustLook: boolean;
}

/** A place as the wire has it. */
export function bookmarkOf({ segment, position, check }: SegmentMark): Bookmark {
  return { position, eventId: formatEventId(segment, position, check) };
}

const commit: BoundStatement = { text: "COMMIT", values: [] };

function bound(texts: readonly string[]): BoundStatement[] {
  return texts.map((text) => ({ text, values: [] }));
}

/**
 * Gives positions to what was committed. It is one message to the server: a process that stands still in the middle holds
 * up nobody.
 *
 * @throws an error that `isLockFailure` tells, where another tick takes too long
 */
export async function tick(pool: Pool, options: TickOptions): Promise<Ticked> {
  return (await tickAndRead(pool, options)).ticked;
}

/**
 * As {@link tick}, and asks something once that is committed, in the same message.
 *
 * @throws as {@link tick}
 */
export async function tickAndRead(
  pool: Pool,
  { maxChanges, waitMs, mustWait, mustLook }: TickOptions,
  read?: BoundStatement,
): Promise<{ readonly ticked: Ticked; readonly rows: readonly Row[] }> {
  const begin = writeStatements({ statementMs: 0, lockMs: waitMs });
  const ask = tickSql({ maxChanges, mustWait, mustLook });
  const behind = read ? [...bound(readStatements), read, commit] : [];
  const results = await pool.batch([...bound([...begin, ask]), commit, ...behind]);
  return { ticked: tickedOf(results[begin.length]?.[0] ?? []), rows: read ? (results.at(-2) ?? []) : [] };
}

/** Asks for a tick. */
export function tickSql({ maxChanges, mustWait, mustLook }: Omit<TickOptions, "waitMs">): string {
  return `SELECT segment, position, chk, total, first, schema_changes, is_complete
    FROM rocket.tick(${maxChanges}, ${mustWait}, ${mustLook})`;
}

/** What the answer to {@link tickSql} says. */
export function tickedOf(row: Row): Ticked {
  const [segment, position, check, total, first, schemaChanges, isComplete] = row;
  return {
    segment: segment ?? "",
    position: Number(position),
    check: Number(check),
    total: Number(total),
    first: Number(first),
    schemaChanges: schemaChanges ?? "",
    isComplete: isComplete === "t",
  };
}

/** Begins another segment in place of `former`: nothing before can be resumed from. Nothing where another process has done so. */
export async function beginSegment(pool: Pool, former: string): Promise<void> {
  await pool.script(`${beginWrite}; SELECT rocket.begin_segment(${quoteText(former)}); COMMIT`);
}
