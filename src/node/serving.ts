import type { Server } from "node:http";
import { createHub, type Hub, type OriginResponse, systemClock } from "../server/index.ts";
import { errorReporter } from "../server/inner.ts";
import { Access } from "./access.ts";
import { ClientBounds } from "./client-bounds.ts";
import { HealthDesk } from "./health.ts";
import { HttpListener } from "./http-listener.ts";
import { inBandOrigin, ownOrigin } from "./in-band-origin.ts";
import { LongPolls } from "./long-polls.ts";
import { type ResolvedServerOptions, resolveServerOptions, type ServerOptions } from "./options.ts";
import { PageDesk } from "./page/page-desk.ts";
import { pageKinds } from "./page/page-options.ts";
import { identityOf, peerOf } from "./peer.ts";
import { PublicFolder } from "./public-folder.ts";
import { sha256 } from "./sha256.ts";
import { StreamHandler } from "./stream-handler.ts";
import { TicketDesk } from "./tickets/ticket-desk.ts";
import { UpgradeHandler } from "./upgrade.ts";

/** What answers requests and takes upgrades over, whatever server they come to. */
export interface Serving {
  readonly hub: Hub;
  readonly access: Access;
  readonly listener: HttpListener;
  readonly resolved: ResolvedServerOptions;
  readonly reportError: (error: unknown, stage: string) => void;
  /** Takes a server's upgrades over. @throws RocketError `runtime-unsupported` on Bun */
  upgradesOf(server: Server): UpgradeHandler;
  /** From now on no connection is kept for further requests. */
  onClosing(): void;
}

function healthOf(
  { ready, owns, clock = systemClock }: ServerOptions,
  { basePath }: ResolvedServerOptions,
  reportError: (error: unknown, stage: string) => void,
): HealthDesk {
  return new HealthDesk({ basePath, hasShortUrls: ready !== undefined, owns, trouble: ready, clock, reportError });
}

function pageOf(
  { page: kind = "none", pageFacts: facts, publicFolder, owns = () => false, shows = () => true }: ServerOptions,
  { basePath }: ResolvedServerOptions,
  access: Access,
  state: () => object,
): PageDesk {
  if (!pageKinds.includes(kind))
    throw new TypeError(`page must be one of ${pageKinds.join(", ")}, not ${JSON.stringify(kind)}.`);
  const isLocal = (): boolean => access.isLocal;
  // A front end has the root, and pages of its own.
  const isAtResources = publicFolder === undefined;
  const isShown = (target: string): boolean => owns(target) && shows(target);
  return new PageDesk({ kind, facts, basePath, isAtResources, isShown, isOwned: owns, isLocal, state });
}

/**
 * Makes of an origin and its journal what answers plain HTTP, and connects WebSockets to a hub.
 *
 * @throws TypeError | RangeError naming the option and its value
 */
export function createServing(options: ServerOptions): Serving {
  const resolved = resolveServerOptions(options);
  const reportError = errorReporter(options.onError, (error, stage) => {
    // What only the operator can mend is not kept quiet.
    if (stage === "records") resolved.log(String(error));
  });
  const access = new Access(resolved);
  const { basePath, maxBodyBytes } = resolved;
  const { origin, publicFolder: path, owns = () => false } = options;
  const publicFolder = path === undefined ? undefined : new PublicFolder({ path, owns, basePath, reportError });
  const wellKnown = (): OriginResponse => hub.wellKnown();
  const hub: Hub = createHub({
    identity: identityOf,
    ...options,
    origin: inBandOrigin({ origin, wellKnown, basePath, carryOut: ownOrigin(origin, maxBodyBytes) }),
    hasStreams: true,
    onError: (error, { stage }) => reportError(error, stage),
    ...(options.derived && { derived: { sha256, ...options.derived } }),
  });
  const { clock } = options;
  const bounds = new ClientBounds(hub.limits, clock ?? systemClock);
  const following = { hub, bounds, clock: clock ?? systemClock, reportError, peerOf };
  const streams = new StreamHandler(following);
  const polls = new LongPolls({ ...following, identityOf });
  const { requestFields: credentialFields } = options;
  const tickets = new TicketDesk({
    ...{ ...resolved, hub, peerOf, credentialFields, clock },
    ...{ bases: [basePath], enter: (target) => basePath.enter(target) },
  });
  const followsAll = options.derived !== undefined;
  const health = healthOf(options, resolved, reportError);
  const page = pageOf(options, resolved, access, () => hub.state);
  const answering = { origin, hub, access, streams, polls, tickets, followsAll, publicFolder, reportError };
  const listener = new HttpListener({ ...resolved, ...answering, health, page });
  const maxMessageBytes = hub.limits.maxMessageBytes;
  return {
    ...{ hub, access, listener, resolved, reportError },
    upgradesOf: (server) =>
      new UpgradeHandler({ server, hub, access, tickets, bounds, maxMessageBytes, reportError, peerOf }),
    onClosing() {
      listener.isClosing = true;
      health.isClosing = true;
    },
  };
}
