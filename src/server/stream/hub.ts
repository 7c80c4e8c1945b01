import { createProblem, type Field, fieldValue, problemResponse } from "../../protocol/index.ts";
import { ByteBudget } from "../byte-budget.ts";
import { SharedFrames } from "../delivery/shared-frames.ts";
import { createDerivedViews } from "../derived/create-derived-views.ts";
import type { DerivedViews } from "../derived/derived-views.ts";
import { DirectStream } from "../direct/direct-stream.ts";
import type { HubState } from "../hub-state.ts";
import { OriginAsker } from "../origin-asker.ts";
import type { Journal } from "../ports/journal.ts";
import type { OriginResponse } from "../ports/origin.ts";
import type { Revocations } from "../ports/revocations.ts";
import type { Transport } from "../ports/transport.ts";
import { viewerFields } from "../viewer.ts";
import { Authoriser } from "./authorise.ts";
import { Connection, type ConnectionParts } from "./connection.ts";
import { Doubts } from "./doubts.ts";
import { Drain } from "./drain.ts";
import { createOpeningTurns, createRequestTurns } from "./fair-turns.ts";
import type { Handshake } from "./handshake.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type HubLimits, type HubOptions, type ResolvedHubOptions, resolveHubOptions } from "./hub-options.ts";
import { type Opening, openingRequest, openingWishes, wishesWithoutState } from "./opening.ts";
import { Openings } from "./openings.ts";
import { plainMethods } from "./plain-requests.ts";
import { StallWatch } from "./stall-watch.ts";
import { isWellKnown, wellKnownResponse } from "./well-known.ts";

/** How many there are of what, for logs and status pages. */
export interface HubCounts {
  readonly connections: number;
  readonly subscriptions: number;
  readonly views: number;
}

/** Turns changes into notifications for everyone who follows a view that they touch. */
export interface Hub {
  /** The bounds in force, defaults filled in. */
  readonly limits: HubLimits;
  /** What is held for all peers together, with its bound: hosts count what they hold, too [R-SEC-5]. */
  readonly held: ByteBudget;
  /** True while one more connection would be too many. */
  readonly isFull: boolean;
  /**
   * False while {@link Hub.changed} can matter to nobody: no derived view stands or is being opened, and what is said
   * stays in this process.
   */
  readonly needsChanges: boolean;
  readonly counts: HubCounts;
  /** Who follows what, and what that takes: for operators, and for nobody else. It is made anew at each look. */
  readonly state: HubState;
  /**
   * Runs the request that authorises a subscription before it is connected: at Level 0 before the 101 is sent, at Level 1
   * before the head of a stream over plain HTTP is. Never rejects.
   */
  authorise(handshake: Handshake): Promise<Opening>;
  /**
   * Takes a peer over. At Level 1 the subscription to the handshake's URL is opened in band, unless it was authorised.
   *
   * @param authorised - what {@link Hub.authorise} accepted
   */
  connect(transport: Transport, handshake: Handshake, authorised?: Opening): Connection;
  /** The 200 at `/.well-known/rocket`. */
  wellKnown(): OriginResponse;
  /**
   * Says that resources may have changed: derived views of them, and of what is above and below, are looked at again.
   *
   * @param urls - paths, or absolute URLs
   * @param writer - the fields of the request that has written: what its viewer follows is looked at, too [R-DER-9].
   * Default: nobody's
   */
  changed(urls: readonly string[], writer?: readonly Field[]): void;
  /**
   * Ends every connection: a last bookmark, then 1001 in random order over the drain window [R-CLOSE-4].
   *
   * @param drainMs - the window in milliseconds; shorter where there are few connections. Default 5,000
   */
  close(drainMs?: number): Promise<void>;
}

const restarting = "The server is restarting.";

class LiveHub implements Hub {
  readonly limits: HubLimits;
  readonly held: ByteBudget;
  readonly #options: ResolvedHubOptions;
  readonly #asker: OriginAsker;
  readonly #direct: DirectStream | undefined;
  readonly #derived: DerivedViews | undefined;
  readonly #openings: Openings;
  readonly #connections: Set<Connection> = new Set();
  readonly #connectionParts: ConnectionParts;
  readonly #heartbeat: Heartbeat;
  #touched: Connection[] = [];
  #isScheduled = false;
  #drain: Drain | undefined;
  readonly #doubts: Doubts = new Doubts();
  readonly #unsubscribe: () => void;

  constructor(options: ResolvedHubOptions) {
    const { limits, clock, journal, derived, revocations, reportError } = options;
    this.#options = options;
    this.limits = limits;
    this.held = new ByteBudget(limits.maxHeldBytes);
    this.#asker = new OriginAsker(options);
    this.#derived = derived && createDerivedViews(options, derived, this.#asker);
    this.#direct = journal && this.#follow(journal);
    const authoriser = new Authoriser({
      asker: this.#asker,
      held: this.held,
      direct: this.#direct,
      derived: this.#derived,
      doubts: this.#doubts,
      reportError,
    });
    this.#openings = new Openings(authoriser, createOpeningTurns(clock, limits.maxConcurrentOpenings));
    const frames = new SharedFrames();
    this.#connectionParts = this.#partsOfConnections(frames);
    const stalls = new StallWatch<Connection>(clock, limits.stallTimeoutMs, this.held);
    const kept = [...(this.#direct ? [this.#direct] : []), frames, this.#asker.shared, this.#doubts];
    this.#heartbeat = new Heartbeat(clock, this.#connections, stalls, kept);
    this.#unsubscribe = this.#watch(revocations);
  }

  get isFull(): boolean {
    return this.#connections.size >= this.limits.maxConnections;
  }

  get needsChanges(): boolean {
    return this.#options.derived?.isStalenessShared === true || this.#derived?.isIdle === false;
  }

  get counts(): HubCounts {
    const kinds = [this.#direct?.counts, this.#derived?.counts];
    return {
      connections: this.#connections.size,
      subscriptions: kinds.reduce((sum, counts) => sum + (counts?.followers ?? 0), 0),
      views: kinds.reduce((sum, counts) => sum + (counts?.views ?? 0), 0),
    };
  }

  get state(): HubState {
    return {
      connections: [...this.#connections].map(({ sight }) => sight),
      views: [...(this.#direct?.sights ?? []), ...(this.#derived?.sights ?? [])],
      collections: this.#direct?.collections ?? [],
      heldBytes: this.held.used,
      maxHeldBytes: this.limits.maxHeldBytes,
    };
  }

  async authorise({ level, target, fields, peer, hasPositions }: Handshake): Promise<Opening> {
    if (isWellKnown(target)) {
      const detail = "This URL is for connections that offer the subprotocol rocket.v1.";
      return { kind: "refused", response: problemResponse(createProblem(400, detail)) };
    }
    const request = openingRequest(target, { fields: viewerFields(fields), peer });
    const wishes = level === 1 ? openingWishes(fields) : wishesWithoutState(hasPositions ? fields : []);
    return this.#openings.ofNewcomer(request, wishes, this.#options.identityOf(peer).address, restarting);
  }

  connect(transport: Transport, handshake: Handshake, authorised?: Opening): Connection {
    const { level, target, peer, mayWrite = true, hasPositions = false } = handshake;
    const fields = viewerFields(handshake.fields);
    const site = fieldValue(handshake.fields, "sec-fetch-site");
    const connection = new Connection(this.#connectionParts, transport, {
      ...{ level, fields, peer, mayWrite, hasPositions, site },
    });
    this.#connections.add(connection);
    if (this.#drain) connection.close(1001, restarting);
    else if (level === 1 && isWellKnown(target)) connection.sendMessage(this.wellKnown());
    else connection.subscriptions.openOwn(handshake, fields, authorised);
    return connection;
  }

  wellKnown(): OriginResponse {
    const { promises, hasStreams, requestsInBand, requestFields } = this.#options;
    const requests = requestsInBand ? { methods: plainMethods, fields: requestFields } : undefined;
    return wellKnownResponse(this.limits, promises, { hasStreams, requests });
  }

  close(drainMs = 5_000): Promise<void> {
    this.#drain ??= new Drain(this.#options.clock, this.#connections, drainMs, restarting, () => {
      this.#heartbeat.stop();
      this.#unsubscribe();
      this.#direct?.stop();
      this.#derived?.stop();
    });
    this.#flush();
    return this.#drain.run();
  }

  changed(urls: readonly string[], writer: readonly Field[] = []): void {
    this.#options.derived?.staleness.publish(urls);
    if (urls.length > 0) this.#derived?.wrote(writer);
  }

  /** Acts on what is told of rights. @returns what ends that */
  #watch(revocations: Revocations): () => void {
    const end = revocations.subscribe(() => {
      for (const { subscriptions } of [...this.#connections]) subscriptions.endExpired();
    });
    const endDoubts = revocations.subscribeDoubts?.((isMeant) => {
      this.#doubts.doubt(isMeant);
      for (const { subscriptions } of [...this.#connections]) subscriptions.doubt(isMeant);
    });
    return () => {
      end();
      endDoubts?.();
    };
  }

  #follow(journal: Journal): DirectStream {
    const { clock, limits, refreshMs, identityOf, reportError } = this.#options;
    const derived = this.#derived;
    return new DirectStream({
      journal,
      clock,
      refreshMs,
      identityOf,
      reportError,
      maxRecentChanges: limits.maxRecentChanges,
      maxRecentBytes: limits.maxRecentBytes,
      ask: (method, target, viewer) => this.#asker.ask(method, target, viewer.fields, viewer),
      schedule: () => this.#schedule(),
      flush: () => this.#flush(),
      changed: derived && ((urls) => derived.changed(urls, true)),
      onEpoch: () => this.#asker.shared.clear(),
    });
  }

  #partsOfConnections(frames: SharedFrames): ConnectionParts {
    const { limits, clock, identityOf, requestsInBand, requestFields, revocations, reportError } = this.#options;
    const direct = this.#direct;
    return {
      requestsInBand,
      requestFields,
      requestTurns: createRequestTurns(clock, limits.maxConcurrentRequests),
      wellKnown: () => this.wellKnown(),
      limits,
      clock,
      isRevoked: (fields) => revocations.isRevoked(fields),
      doubts: this.#doubts,
      frames,
      identityOf,
      reportError,
      asker: this.#asker,
      held: this.held,
      openings: this.#openings,
      hasOtherSpellings: direct !== undefined,
      position: () => (direct && !direct.isUnseen ? [["Event-ID", direct.bookmark.eventId]] : []),
      touch: (connection) => {
        this.#touched.push(connection);
        this.#schedule();
      },
      drop: (connection) => this.#connections.delete(connection),
    };
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.clock.defer(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  /** Gives what came in this turn to everyone it concerns, and each touched connection one write. */
  #flush(): void {
    this.#direct?.distribute();
    const touched = this.#touched;
    this.#touched = [];
    for (const connection of touched) {
      try {
        connection.flush();
      } catch (error) {
        this.#options.reportError(error, "write");
      }
    }
  }
}

/**
 * Makes a hub over an origin and its journal.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function createHub(options: HubOptions): Hub {
  return new LiveHub(resolveHubOptions(options));
}
