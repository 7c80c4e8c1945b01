import type { OriginRequest } from "../origin.ts";
import { type RecordOptions, recordRuleOf } from "./record-rule.ts";
import { createLocalStaleness, type Staleness } from "./staleness.ts";

/** How views are derived: asked for again when they may have changed, and compared. */
export interface DerivedOptions {
  /** The least time between two GETs for one view while writes keep coming. Default 50 ms; 0 to 60,000. */
  readonly coalesceMs?: number;
  /**
   * How long a document, and a viewer's right to it, may stand without being looked at. Default 60,000 ms, less a jitter
   * of a tenth to a fifth; 10 to 86,400,000.
   */
  readonly refreshMs?: number;
  /** How many GETs for changed views run at once. Default 16; 1 to 10,000. */
  readonly maxConcurrentGets?: number;
  /**
   * Names the viewer of a request (a tenant, a role, `"everyone"`): viewers of one name share a view as long as their
   * documents are equal, each new one as two of them get it. It is asked again with each answer, so a viewer that is
   * given another name leaves. Default: none are shared but what the app calls `Cache-Control: public`. `undefined`, an
   * empty name, or a throw, which goes to `onError`: not shared. Answers that are `private`, `no-store`, or have
   * `Set-Cookie` or `Vary: *` are not shared either [R-DER-2].
   */
  readonly viewer?: (request: OriginRequest) => string | undefined;
  /**
   * Names who a peer proved to be at the transport, by what the handshake's `peer` is: the fingerprint of its client
   * certificate. Peers of different names never share a view that is not public. Default: nobody is told apart by it.
   * `undefined`, or a throw, which goes to `onError`: nothing was proved.
   */
  readonly identity?: (peer: unknown) => string | undefined;
  /** Where records are, by path, in documents where Rocket can't tell by itself. Default: none. */
  readonly records?: Readonly<Record<string, RecordOptions>>;
  /** Carries what may have changed, between processes too. Default: within this process. */
  readonly staleness?: Staleness;
}

/** Options with every default filled in. */
export interface ResolvedDerivedOptions {
  readonly coalesceMs: number;
  readonly refreshMs: number;
  readonly maxConcurrentGets: number;
  readonly viewer: DerivedOptions["viewer"];
  readonly identity: DerivedOptions["identity"];
  readonly records: Readonly<Record<string, RecordOptions>>;
  readonly staleness: Staleness;
  /** Whether others than this hub may hear of what may have changed. */
  readonly isStalenessShared: boolean;
}

function inRange(name: string, value: number, low: number, high: number): number {
  if (Number.isInteger(value) && value >= low && value <= high) return value;
  throw new RangeError(`${name} must be a whole number from ${low} to ${high}, not ${value}.`);
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function resolveDerivedOptions(options: DerivedOptions): ResolvedDerivedOptions {
  const { viewer, identity, records = {}, staleness = createLocalStaleness() } = options;
  if (viewer !== undefined && typeof viewer !== "function") {
    throw new TypeError(`viewer must be a function (request) => string | undefined, not ${typeof viewer}.`);
  }
  if (identity !== undefined && typeof identity !== "function") {
    throw new TypeError(`identity must be a function (peer) => string | undefined, not ${typeof identity}.`);
  }
  for (const entry of Object.values(records)) recordRuleOf(entry);
  return {
    coalesceMs: inRange("coalesceMs", options.coalesceMs ?? 50, 0, 60_000),
    refreshMs: inRange("refreshMs", options.refreshMs ?? 60_000, 10, 86_400_000),
    maxConcurrentGets: inRange("maxConcurrentGets", options.maxConcurrentGets ?? 16, 1, 10_000),
    viewer,
    identity,
    records,
    staleness,
    isStalenessShared: options.staleness !== undefined,
  };
}
