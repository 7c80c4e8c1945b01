import { type DerivedOptions, type ResolvedDerivedOptions, resolveDerivedOptions } from "../derived/derived-options.ts";
import { type ErrorHandler, errorReporter, inRange } from "../option-checks.ts";
import { type Clock, systemClock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import type { Origin } from "../ports/origin.ts";
import { noRevocations, type Revocations } from "../ports/revocations.ts";
import { parseRequestFields } from "../request-fields.ts";
import type { PeerIdentity } from "../viewer.ts";

/** Bounds on what one peer can ask of the hub [R-SEC-5]. */
export interface HubLimits {
  /** Bytes of one message that a peer sends, its head included. Default 1 MiB and 16 KiB; 32 KiB to 64 MiB. */
  readonly maxMessageBytes: number;
  /** Subscriptions of one connection. Default 100; at least 1. One more is answered 429. */
  readonly maxSubscriptions: number;
  /** Requests of one connection that wait for their answer. Default 64; at least 1. At the limit the peer is not read from. */
  readonly maxOutstandingRequests: number;
  /** Connections in all. Default 20,000; at least 1. One more is refused with 503. */
  readonly maxConnections: number;
  /**
   * WebSockets and streams over HTTP of one address at once: an IPv4 address, or the /64 of an IPv6 one. One more is refused with 429.
   * Default 0: no bound, since a front or an office has one address for all. Addresses of the same house (loopback, private) are not
   * counted unless a trusted front has said them [R-SEC-14].
   */
  readonly maxConnectionsPerAddress: number;
  /**
   * WebSockets and streams over HTTP at once of those who show the same `Authorization` and `Cookie`. One more is refused with 429.
   * Default 0: no bound [R-SEC-14].
   */
  readonly maxConnectionsPerCredential: number;
  /**
   * WebSockets and streams that one address may open in a minute, those that are refused included. More are refused with 429. Default 0:
   * no bound [R-SEC-14].
   */
  readonly maxHandshakesPerMinute: number;
  /** Unsent bytes of one connection before it is parked. Default 256 KiB; at least 1 KiB. */
  readonly maxUnsentBytes: number;
  /**
   * Bytes that are held for all peers together: bodies and messages that are being read, answers and messages that were not taken.
   * What is at most 16 KiB does not count. Default 64 MiB; 1 MiB to 64 GiB. Beyond it, what would hold more is refused
   * with 503 and `Retry-After`. While more than half is used, peers that take nothing are dropped after a twelfth of
   * `stallTimeoutMs` [R-SEC-5].
   */
  readonly maxHeldBytes: number;
  /**
   * Milliseconds that a peer may take nothing at all of what waits for it. Default 60,000; 1,000 to 3,600,000. Then its
   * connection is dropped [R-SEC-5].
   */
  readonly stallTimeoutMs: number;
  /** Milliseconds that the origin may take to answer what the hub asks. Default 9,000; at least 1. Then 504. */
  readonly originTimeoutMs: number;
  /** Milliseconds that the origin may take to answer a request in band. Default 60,000; at least 1. Then 504. */
  readonly requestTimeoutMs: number;
  /**
   * Requests in band that run against the origin at once, 8 of one connection at most. Default 128; at least 1. More wait
   * for their connection's turn.
   */
  readonly maxConcurrentRequests: number;
  /**
   * Openings (handshakes, SUBSCRIBEs) that run against the origin at once, 8 of one connection at most. Default 128; at
   * least 1. More wait for their connection's turn.
   */
  readonly maxConcurrentOpenings: number;
  /** Changes that the hub keeps in memory for those who catch up. Default 10,000; 0 keeps none. */
  readonly maxRecentChanges: number;
  /**
   * Bytes, about, of the changes that it keeps, and again of the messages made of them that are too large to be written
   * at once. Default 16 MiB; 0 to 64 GiB. What is not kept is read from the journal.
   */
  readonly maxRecentBytes: number;
}

/** What a hub stands on. */
export interface HubOptions {
  /** Answers the GETs behind subscriptions. */
  readonly origin: Origin;
  /** Where changes come from. Without one, only derived views can be subscribed to. */
  readonly journal?: Journal;
  /** How resources without a journal are followed: by asking again. Default: they can't be subscribed to. */
  readonly derived?: DerivedOptions;
  /**
   * What is known of a peer at the transport, by what the handshake's `peer` is. Peers that differ in it are different
   * viewers [R-DER-1]. Default: nothing, which is right where the origin sees nothing of it either. A throw goes to
   * `onError`; then the peer is like no other.
   */
  readonly identity?: (peer: unknown) => PeerIdentity;
  /**
   * How long a viewer's right to what it follows may stand without being asked for again: of a direct view where
   * credentials were shown, by a HEAD; of a derived one, see {@link DerivedOptions.refreshMs}. Default 60,000 ms;
   * 10 to 86,400,000.
   */
  readonly refreshMs?: number;
  /** Which credentials count no more: what is followed with them ends at once, with a 401. Default: none are ever taken back. */
  readonly revocations?: Revocations;
  /** Bounds; each has a default. */
  readonly limits?: Partial<HubLimits>;
  /** What the origin keeps, listed at `/.well-known/rocket` [R-WK-4]: `idempotency-key`, `batch`. Default nothing. */
  readonly promises?: readonly string[];
  /**
   * Whether requests in band are carried out beside SUBSCRIBE and UNSUBSCRIBE, as over HTTP. False where a front has rules
   * by path or method for all requests: it does not see these. Default true.
   */
  readonly requestsInBand?: boolean;
  /**
   * Names of further fields that a request in band may have of its own, as `["X-CSRF-Token"]`. None that a front sets or
   * takes off [R-BAND-15]. Default none.
   */
  readonly requestFields?: readonly string[];
  /** Whether the host offers streams over plain HTTP, as is said at `/.well-known/rocket` [R-STR-18]. Default false. */
  readonly hasStreams?: boolean;
  /** Told of errors that no peer is told the text of. What it throws is dropped. Default: nothing is told. */
  readonly onError?: ErrorHandler;
  /** Time and chance. Default: the platform's. */
  readonly clock?: Clock;
}

/** Options with every default filled in. */
export interface ResolvedHubOptions {
  readonly origin: Origin;
  readonly journal: Journal | undefined;
  readonly derived: ResolvedDerivedOptions | undefined;
  readonly limits: HubLimits;
  readonly revocations: Revocations;
  readonly refreshMs: number;
  readonly promises: readonly string[];
  readonly requestsInBand: boolean;
  readonly requestFields: readonly string[];
  readonly hasStreams: boolean;
  readonly identityOf: (peer: unknown) => PeerIdentity;
  readonly reportError: (error: unknown, stage: string) => void;
  readonly clock: Clock;
}

/** The promises that are an origin's to keep [R-WK-4]. */
const originPromises: readonly string[] = ["idempotency-key", "batch"];

function parsePromises(promises: readonly string[] = []): readonly string[] {
  const strange = promises.find((name) => !originPromises.includes(name));
  if (strange === undefined) return promises;
  const known = originPromises.map((name) => JSON.stringify(name)).join(" and ");
  throw new TypeError(`promises: ${JSON.stringify(strange)} is none that an origin can keep; ${known} are.`);
}

const defaults: HubLimits = {
  maxMessageBytes: 1024 * 1024 + 16 * 1024,
  maxSubscriptions: 100,
  maxOutstandingRequests: 64,
  maxConnections: 20_000,
  maxConnectionsPerAddress: 0,
  maxConnectionsPerCredential: 0,
  maxHandshakesPerMinute: 0,
  maxUnsentBytes: 256 * 1024,
  maxHeldBytes: 64 * 1024 * 1024,
  stallTimeoutMs: 60_000,
  originTimeoutMs: 9_000,
  requestTimeoutMs: 60_000,
  maxConcurrentRequests: 128,
  maxConcurrentOpenings: 128,
  maxRecentChanges: 10_000,
  maxRecentBytes: 16 * 1024 * 1024,
};

const ranges: Readonly<Record<keyof HubLimits, readonly [low: number, high: number]>> = {
  maxMessageBytes: [32 * 1024, 64 * 1024 * 1024],
  maxSubscriptions: [1, 1_000_000],
  maxOutstandingRequests: [1, 1_000_000],
  maxConnections: [1, 10_000_000],
  maxConnectionsPerAddress: [0, 10_000_000],
  maxConnectionsPerCredential: [0, 10_000_000],
  maxHandshakesPerMinute: [0, 10_000_000],
  maxUnsentBytes: [1024, 1024 * 1024 * 1024],
  maxHeldBytes: [1024 * 1024, 64 * 1024 ** 3],
  stallTimeoutMs: [1_000, 3_600_000],
  originTimeoutMs: [1, 3_600_000],
  requestTimeoutMs: [1, 3_600_000],
  maxConcurrentRequests: [1, 1_000_000],
  maxConcurrentOpenings: [1, 1_000_000],
  maxRecentChanges: [0, 10_000_000],
  maxRecentBytes: [0, 64 * 1024 ** 3],
};

/**
 * Fills in the defaults and checks what was given.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function resolveHubOptions(options: HubOptions): ResolvedHubOptions {
  if (typeof options.origin !== "function") {
    throw new TypeError(`origin must be a function (request) => Promise<response>, not ${typeof options.origin}.`);
  }
  const limits = { ...defaults };
  for (const [name, value] of Object.entries(options.limits ?? {}) as [keyof HubLimits, number | undefined][]) {
    if (value === undefined) continue;
    const range = ranges[name];
    if (!range) throw new TypeError(`limits.${name} is not a limit; there are ${Object.keys(ranges).join(", ")}.`);
    limits[name] = inRange(`limits.${name}`, value, ...range);
  }
  const { onError, identity, refreshMs = 60_000 } = options;
  inRange("refreshMs", refreshMs, 10, 86_400_000);
  if (identity !== undefined && typeof identity !== "function") {
    throw new TypeError(`identity must be a function (peer) => { address, certificate }, not ${typeof identity}.`);
  }
  const reportError = errorReporter(onError);
  let strangers = 0;
  const identityOf = (peer: unknown): PeerIdentity => {
    try {
      return identity?.(peer) ?? {};
    } catch (error) {
      reportError(error, "identity");
      strangers += 1;
      return { certificate: `unknown ${strangers}` };
    }
  };
  return {
    origin: options.origin,
    journal: options.journal,
    derived: options.derived && resolveDerivedOptions({ refreshMs, ...options.derived }),
    refreshMs,
    revocations: options.revocations ?? noRevocations,
    limits,
    hasStreams: options.hasStreams ?? false,
    promises: [...(options.journal ? ["journal", "merge-patch"] : []), ...parsePromises(options.promises)],
    requestsInBand: options.requestsInBand ?? true,
    requestFields: parseRequestFields(options.requestFields),
    clock: options.clock ?? systemClock,
    identityOf,
    reportError,
  };
}
