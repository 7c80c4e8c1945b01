import { type Clock, systemClock } from "../../../server/index.ts";
import type { Pool } from "../driver.ts";
import type { RecordFormat } from "../record-format.ts";
import type { PostgresJournalOptions } from "./options.ts";
import { WatchList } from "./watch-list.ts";

/** The options with their defaults. */
export interface ResolvedJournalOptions {
  readonly pool: Pool;
  readonly format: RecordFormat;
  readonly schemas: readonly string[];
  readonly watchList: WatchList;
  readonly clock: Clock;
  readonly pollMs: number;
  readonly idlePollMs: number;
  readonly lookMs: number;
  readonly hints: boolean;
  readonly maxTickChanges: number;
  readonly waitMs: number;
  readonly maxChanges: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number | undefined;
  readonly onError: (error: unknown, context: { readonly stage: string }) => void;
  readonly onSchema: () => void;
  readonly onSegment: () => void;
}

function requirePositive(values: Readonly<Record<string, number | undefined>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && !(value > 0)) throw new RangeError(`${name} must be above 0, not ${value}.`);
  }
}

function requireWhole(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new RangeError(`${name} must be a whole number of at least 1, not ${value}.`);
  }
}

/** Fills in defaults. @throws TypeError | RangeError naming the option and its value */
export function resolveJournalOptions(options: PostgresJournalOptions): ResolvedJournalOptions {
  const { pool, format, schemas = ["public"], tables = () => true, onError, retention = {} } = options;
  const { clock = systemClock, pollMs = 5, lookMs = 1_000, hints = true, maxTickChanges = 10_000 } = options;
  const { waitMs = 5_000 } = options;
  const { idlePollMs = Math.max(200, pollMs) } = options;
  const { maxChanges = 100_000, maxBytes = 256 * 1024 * 1024, maxAgeMs } = retention;
  if (typeof onError !== "function") throw new TypeError("onError must be a function.");
  if (schemas.length === 0) throw new TypeError("schemas must name at least one schema.");
  requirePositive({ pollMs, lookMs, waitMs, "retention.maxAgeMs": maxAgeMs });
  if (!(idlePollMs >= pollMs)) throw new RangeError(`idlePollMs must be at least pollMs, not ${idlePollMs}.`);
  requireWhole({ maxTickChanges, "retention.maxChanges": maxChanges, "retention.maxBytes": maxBytes });
  const watchList = new WatchList((schema, name) => schemas.includes(schema) && tables(schema, name));
  return {
    ...{ pool, format, schemas, watchList, clock, pollMs, idlePollMs, lookMs, hints },
    ...{
      maxTickChanges,
      waitMs,
      maxChanges,
      maxBytes,
      maxAgeMs,
      onError,
      onSchema: options.onSchema ?? (() => undefined),
      onSegment: options.onSegment ?? (() => undefined),
    },
  };
}
