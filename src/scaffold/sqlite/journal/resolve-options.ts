import { type Clock, systemClock } from "../../../server/index.ts";
import type { Additions } from "../additions.ts";
import type { RecordFormat } from "../record-format.ts";
import type { Schema } from "../schema.ts";
import type { SqliteJournalOptions } from "./options.ts";
import { type IsWatched, watchedBy } from "./watched.ts";

/** The options with their defaults. */
export interface ResolvedJournalOptions {
  readonly path: string;
  readonly format: RecordFormat;
  readonly additions: Additions | undefined;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly quietMs: number;
  readonly maxChanges: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number | undefined;
  readonly isWatched: IsWatched;
  readonly onWait: () => void;
  readonly onError: (error: unknown, context: { readonly stage: string }) => void;
  readonly onSchema: (schema: Schema) => void;
  readonly onReplaced: () => void;
}

/** Fills in defaults. @throws TypeError | RangeError naming the option and its value */
export function resolveJournalOptions(options: SqliteJournalOptions): ResolvedJournalOptions {
  const { path, format, clock = systemClock, pollMs = 2, quietMs = 1_000, retention = {}, tables, onError } = options;
  const { maxChanges = 100_000, maxBytes = 256 * 1024 * 1024, maxAgeMs } = retention;
  if (typeof path !== "string" || path === "") throw new TypeError(`path must name a file, not ${String(path)}.`);
  if (typeof onError !== "function") throw new TypeError("onError must be a function.");
  if (!(pollMs > 0)) throw new RangeError(`pollMs must be above 0, not ${pollMs}.`);
  if (!(quietMs >= 0)) throw new RangeError(`quietMs must be at least 0, not ${quietMs}.`);
  if (!Number.isInteger(maxChanges) || maxChanges < 1) {
    throw new RangeError(`retention.maxChanges must be a whole number of at least 1, not ${maxChanges}.`);
  }
  if (!Number.isInteger(maxBytes) || maxBytes < 1) {
    throw new RangeError(`retention.maxBytes must be a whole number of at least 1, not ${maxBytes}.`);
  }
  if (maxAgeMs !== undefined && !(maxAgeMs > 0)) {
    throw new RangeError(`retention.maxAgeMs must be above 0, not ${maxAgeMs}.`);
  }
  return {
    path,
    format,
    additions: options.additions,
    clock,
    pollMs,
    quietMs,
    maxChanges,
    maxBytes,
    maxAgeMs,
    isWatched: watchedBy(tables ?? (() => true)),
    onWait: options.onWait ?? (() => undefined),
    onError,
    onSchema: options.onSchema ?? (() => undefined),
    onReplaced: options.onReplaced ?? (() => undefined),
  };
}
