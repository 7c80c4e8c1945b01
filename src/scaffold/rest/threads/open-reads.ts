import { resolve } from "node:path";
import type { LiveSettings } from "../live.ts";
import type { OpenDatabase } from "../open-database.ts";
import type { ResolvedScaffoldOptions } from "../options.ts";
import type { DatabaseState } from "./messages.ts";
import { ReadPool } from "./read-pool.ts";
import { Reads } from "./reads.ts";

/** What the main thread knows; the same object until it changes. */
function stateOf({ ledger, replacements }: OpenDatabase): () => DatabaseState {
  let state: DatabaseState | undefined;
  return () => {
    const { schema, unwatched, segment } = ledger;
    const file = replacements();
    const isSame =
      state?.schema === schema && state.unwatched === unwatched && state.segment === segment && state.file === file;
    if (!state || !isSame) state = { schema, unwatched, segment, file };
    return state;
  };
}

/** What answers GETs of a database. Threads start when they are needed. */
export function openReads(options: ResolvedScaffoldOptions, database: OpenDatabase, live: LiveSettings): Reads {
  const { path, clock, additions, functionsModule, tables, basePath, reportError } = options;
  const { reader, ledger } = database;
  const state = stateOf(database);
  const settings = {
    ...{ path: resolve(path), isReadOnly: database.writer === undefined, functionsModule, tables, basePath, live },
    extensions: additions.extensions ?? [],
  };
  const threads = options.readThreads;
  return new Reads({
    ...{ reader, state, live, clock },
    pool: threads > 0 ? new ReadPool({ settings, threads, clock, state }) : undefined,
    poll: () => ledger.poll(),
    limitMs: options.readTimeoutMs,
    mainLimitMs: options.mainReadMs,
    onError: reportError,
  });
}
