import { resolve } from "node:path";
import type { Clock } from "../../../server/index.ts";
import type { Names } from "../../engine/names.ts";
import type { Guard } from "../../engine/snapshot.ts";
import type { IsServed } from "../../rest/catalog.ts";
import type { LiveSettings } from "../../rest/live.ts";
import type { ResolvedRules } from "../../rules/rules.ts";
import type { SqliteEngine } from "../engine/engine.ts";
import type { DatabaseState } from "./messages.ts";
import { ReadPool } from "./read-pool.ts";
import { Reads } from "./reads.ts";

/** How a SQLite engine's reads run; every default filled in. */
export interface OpenReadsOptions {
  readonly path: string;
  readonly extensions: readonly string[];
  readonly functionsModule: string | undefined;
  readonly tables: readonly string[] | undefined;
  /** What models call what the database has. */
  readonly names: Names | undefined;
  readonly isServed: IsServed;
  /** A snapshot as a viewer may see it, and the rules that say so. */
  readonly guard: Guard;
  readonly rules: ResolvedRules | undefined;
  /** How many threads there are at most. */
  readonly readThreads: number;
  /** How long a read may take, in milliseconds. */
  readonly readTimeoutMs: number;
  /** How long a read may hold up the main thread, in milliseconds. */
  readonly mainReadMs: number;
  readonly clock: Clock;
  readonly reportError: (error: unknown, stage: string) => void;
}

/** What the main thread knows; the same object until it changes. */
function stateOf({ ledger, replacements }: SqliteEngine): () => DatabaseState {
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

/** What answers GETs of a SQLite file. Threads start when they are needed. */
export function openReads(engine: SqliteEngine, live: LiveSettings, options: OpenReadsOptions): Reads {
  const { path, clock, extensions, functionsModule, tables, isServed, guard, rules, reportError } = options;
  const { reader, ledger } = engine;
  const state = stateOf(engine);
  const settings = {
    ...{ path: resolve(path), isReadOnly: !engine.canWrite, extensions, functionsModule, tables, live },
    basePath: isServed.basePath,
    ...{ rules, names: options.names },
  };
  const threads = options.readThreads;
  return new Reads({
    ...{ reader, isServed, guard, state, live, clock },
    pool: threads > 0 ? new ReadPool({ settings, threads, clock, state }) : undefined,
    poll: () => ledger.poll(),
    limitMs: options.readTimeoutMs,
    mainLimitMs: options.mainReadMs,
    onError: reportError,
  });
}
