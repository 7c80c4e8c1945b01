import type { Clock } from "../../../server/index.ts";
import type { Connection } from "../connection.ts";
import { journalTable, segmentTable } from "./names.ts";

/** How many segments are kept: those of the last so many starts. */
const keptSegments = 1_000;

/** Begins a segment at the journal's end, inside the caller's write transaction. Gives its name. */
export function addSegment(connection: Connection, clock: Clock): string {
  const digits = (): string =>
    Math.floor(clock.random() * 36 ** 6)
      .toString(36)
      .padStart(6, "0");
  const name = `s${digits()}${digits()}`;
  const added = connection
    .prepare(
      `INSERT INTO ${segmentTable} (name, start) SELECT ?, coalesce((SELECT max(position) FROM ${journalTable}), 0)
       WHERE NOT EXISTS (SELECT 1 FROM ${segmentTable} WHERE name = ?)`,
    )
    .run(name, name);
  // Only clocks that repeat from a seed come here twice with one name.
  if (added === 0) return addSegment(connection, clock);
  connection
    .prepare(`DELETE FROM ${segmentTable} WHERE id <= (SELECT max(id) FROM ${segmentTable}) - ?`)
    .run(keptSegments);
  return name;
}

/** How many starts the journal knows of. */
export function countSegments(connection: Connection): number {
  return Number(connection.prepare(`SELECT count(*) FROM ${segmentTable}`).all()[0]?.[0]);
}

/** Whether this journal ever had a segment of that name. */
export function hasSegment(connection: Connection, name: string): boolean {
  return connection.prepare(`SELECT 1 FROM ${segmentTable} WHERE name = ?`).all(name).length > 0;
}
