import { conditionsOf } from "../../../filter/index.ts";
import type { RecordFilter } from "../../engine/query.ts";
import type { TreeQuery } from "../../engine/tree.ts";
import { unreadable } from "../../rest/record-filter.ts";
import { sqliteCode } from "../sqlite-error.ts";
import type { SqliteQuery } from "./served.ts";

/** SQLite's code for what it can't run: a search that FTS5 can't read, too. */
const generalError = 1;

/** A query's own filter, and those of what is embedded. */
function filtersOf(query: SqliteQuery | TreeQuery): RecordFilter[] {
  return [query.filter, ...("embeds" in query ? query.embeds.flatMap((embed) => filtersOf(embed.query)) : [])];
}

/**
 * Reads what a query asks for.
 *
 * @throws Refusal 400 where it has a search that FTS5 can't read
 */
export function searching<Result>(query: SqliteQuery | TreeQuery, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const search = filtersOf(query)
      .flatMap(conditionsOf)
      .find(({ kind }) => kind === "test");
    if (search?.kind !== "test" || sqliteCode(error) !== generalError) throw error;
    throw unreadable(search.column, String(search.literal), "FTS5 does not take it.");
  }
}
