import { RocketError } from "../../../protocol/index.ts";
import type { Trouble } from "../../engine/engine.ts";
import { isBusy, sqliteCode } from "../sqlite-error.ts";

function isBusyFor(error: unknown): boolean {
  if (!(error instanceof RocketError)) return isBusy(error);
  return error.code === "database-busy" || error.code === "journal-busy";
}

/** What SQLite's other errors are to the peer, by their primary result code. */
const troubles: Readonly<Record<number, readonly [status: number, detail: string]>> = {
  1: [500, "The database has a trigger, check, index or view that this server can't run."],
  8: [500, "The database can't be written just now."],
  10: [500, "The database's file could not be read or written."],
  11: [500, "The database is damaged."],
  13: [507, "There is no room left for the database."],
  18: [413, "A value is bigger than the database takes."],
  26: [500, "The database's file is no database any more."],
};

/** What an error of SQLite is to the peer; `undefined` for any other. */
export function troubleOf(error: unknown): Trouble | undefined {
  if (isBusyFor(error)) return { status: 503, detail: "The database is locked by another program." };
  const code = sqliteCode(error);
  const [status, detail] = (code === undefined ? undefined : troubles[code]) ?? [];
  return status === undefined || detail === undefined ? undefined : { status, detail };
}
