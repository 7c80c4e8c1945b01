import { formatEventId } from "../../../protocol/index.ts";
import type { Bookmark } from "../../../server/index.ts";
import type { Connection } from "../connection.ts";
import { journalTable } from "./names.ts";

const bookmarkSql = `SELECT v.schema_version, j.position, j.chk FROM pragma_schema_version v
  LEFT JOIN (SELECT position, chk FROM ${journalTable} ORDER BY position DESC LIMIT 1) j`;

/** The journal's head as `connection` sees it, in a segment; `schemaVersion` is that state's `schema_version`. */
export function bookmarkIn(connection: Connection, segment: string): Bookmark & { readonly schemaVersion: number } {
  const [version, position, check] = connection.prepare(bookmarkSql).all()[0] ?? [];
  const place = Number(position ?? 0);
  return {
    position: place,
    eventId: formatEventId(segment, place, Number(check ?? 0)),
    schemaVersion: Number(version),
  };
}
