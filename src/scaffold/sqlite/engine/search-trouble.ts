import { conditionsOf } from "../../../filter/index.ts";
import { unreadable } from "../../rest/record-filter.ts";
import { sqliteCode } from "../sqlite-error.ts";
import type { SqliteQuery } from "./served.ts";

/** SQLite's code for what it can't run: a search that FTS5 can't read, too. */
const generalError = 1;

/**
 * Reads what a query asks for.
 *
 * @throws Refusal 400 where it has a search that FTS5 can't read
 */
export function searching<Result>({ filter }: SqliteQuery, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const search = conditionsOf(filter).find(({ kind }) => kind === "test");
    if (search?.kind !== "test" || sqliteCode(error) !== generalError) throw error;
    throw unreadable(search.column, String(search.literal), "FTS5 does not take it.");
  }
}
