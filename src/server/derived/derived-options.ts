import { BasePath } from "../base-path.ts";
import { inRange } from "../option-checks.ts";
import type { OriginRequest } from "../ports/origin.ts";
import { createLocalStaleness, type Staleness } from "../ports/staleness.ts";
import { type Sha256, sha256 } from "./digest.ts";
import { checkRecords } from "./record-options.ts";
import type { RecordOptions } from "./record-rule.ts";

/** How views are derived: asked for again when they may have changed, and compared. */
export interface DerivedOptions {
  /** The least time between two GETs for one view while writes keep coming. Default 50 ms; 0 to 60,000. */
  readonly coalesceMs?: number;
  /**
   * How long a document, and a viewer's right to it, may stand without being looked at, less a jitter of a tenth to a
   * fifth. Default: the hub's `refreshMs`; 10 to 86,400,000.
   */
  readonly refreshMs?: number;
  /** How many GETs for changed views run at once. Default 16; 1 to 10,000. */
  readonly maxConcurrentGets?: number;
  /**
   * Declares which viewers are given the same: those for whom it returns the same name (a tenant, a role, `"everyone"`).
   * It is asked again with each answer, so a viewer that is given another name leaves. Default: only those are given the
   * same whom an answer names by `Cache-Control: public` or `s-maxage`. `undefined`, an empty name, or a throw, which
   * goes to `onError`: the view is the viewer's own. So are answers that are `private`, `no-store` or `no-cache`, or
   * have `Set-Cookie` or `Vary: *` [R-DER-2].
   */
  readonly viewer?: (request: OriginRequest) => string | undefined;
  /**
   * `"shared"`: all requests without credentials are given the same, whatever their address and other fields, but for
   * what an answer's `Vary` names. Default `"separate"`: each viewer has a view of its own.
   */
  readonly anonymous?: "separate" | "shared";
  /**
   * What the documents of all views may have together, in bytes; one viewer's may have a third of it. Default 96 MiB;
   * 1 MiB to 1 TiB. What is beyond is refused with 503, or 429 where it is one viewer's, and `Retry-After`.
   */
  readonly maxTotalDocumentBytes?: number;
  /** How documents are digested. Default: a portable one; `attach` and `createProxy` use Node's, which is faster. */
  readonly sha256?: Sha256;
  /**
   * Where records are, by path, in documents where Rocket can't tell by itself. A document that is not so is followed as a
   * whole, and `onError` is told once for each path: `records-unfit`. Default: none.
   */
  readonly records?: Readonly<Record<string, RecordOptions>>;
  /**
   * The path below which clients see everything, as `/api`, where the origin may not know it: a row's link that leads
   * elsewhere is no record's then, and its key names it. Default: the root.
   */
  readonly basePath?: string;
  /** Carries what may have changed, between processes too. Default: within this process. */
  readonly staleness?: Staleness;
}

/** Options with every default filled in. */
export interface ResolvedDerivedOptions {
  readonly coalesceMs: number;
  readonly refreshMs: number;
  readonly maxConcurrentGets: number;
  readonly viewer: DerivedOptions["viewer"];
  readonly sharesAnonymous: boolean;
  readonly maxTotalDocumentBytes: number;
  readonly sha256: Sha256;
  readonly records: Readonly<Record<string, RecordOptions>>;
  readonly basePath: BasePath;
  readonly staleness: Staleness;
  /** Whether others than this hub may hear of what may have changed. */
  readonly isStalenessShared: boolean;
}

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function resolveDerivedOptions(options: DerivedOptions): ResolvedDerivedOptions {
  const { viewer, anonymous = "separate", records = {}, staleness = createLocalStaleness() } = options;
  if (viewer !== undefined && typeof viewer !== "function") {
    throw new TypeError(`viewer must be a function (request) => string | undefined, not ${typeof viewer}.`);
  }
  if (anonymous !== "separate" && anonymous !== "shared") {
    throw new TypeError(`anonymous must be "separate" or "shared", not ${JSON.stringify(anonymous)}.`);
  }
  checkRecords(records);
  return {
    coalesceMs: inRange("coalesceMs", options.coalesceMs ?? 50, 0, 60_000),
    refreshMs: inRange("refreshMs", options.refreshMs ?? 60_000, 10, 86_400_000),
    maxConcurrentGets: inRange("maxConcurrentGets", options.maxConcurrentGets ?? 16, 1, 10_000),
    viewer,
    sharesAnonymous: anonymous === "shared",
    maxTotalDocumentBytes: inRange(
      "derived.maxTotalDocumentBytes",
      options.maxTotalDocumentBytes ?? 96 * 1024 ** 2,
      1024 ** 2,
      1024 ** 4,
    ),
    sha256: options.sha256 ?? sha256,
    records,
    basePath: new BasePath(options.basePath),
    staleness,
    isStalenessShared: options.staleness !== undefined,
  };
}
